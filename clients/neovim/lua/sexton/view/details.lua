--- One automation in full, and its last runs.

local actions = require("sexton.actions")
local buffers = require("sexton.view.buffer")
local columns = require("sexton.view.columns")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- As many runs as fit below the rest of it.
local RUNS = 20

local KEYS = {
  { "run", "run" },
  { "cancel", "cancel" },
  { "pause", "pause" },
  { "output", "output" },
  { "answer", "answer" },
  { "why", "why" },
  { "close", "close" },
}

--- The card as lines `{name, text, highlight}`; a line without a name goes on with the one above.
local function card_of(automation, store, now)
  local card = {}
  local function add(name, said, group)
    table.insert(card, { name, said, group })
  end
  add("When", store:schedule_in_words(automation))
  if automation.ofLaterVersion ~= nil then
    return card
  end
  if automation.pause then
    local why, group = words.paused(automation.pause)
    add("Paused", ("%s, %s"):format(why, words.relative_and_clock(automation.pause.at, now)), group)
    if automation.pause.note then
      add("", text.one_line(automation.pause.note, 1000))
    end
  elseif #automation.state.nextFires == 0 then
    add("Next", "never again: its schedule is over")
  end
  for place, at in ipairs(automation.state.nextFires) do
    add(place == 1 and "Next" or "", words.relative_and_clock(at, now))
  end
  if automation.stop and automation.stop.kind == "count" then
    add("Done", ("%d of %d"):format(automation.state.completedRuns, automation.stop.count))
  end
  add(words.task(automation.task))
  if automation.where and automation.where.worktree then
    add("Where", "the worktree " .. text.one_line(automation.where.worktree, 200))
  end
  if automation.state.failureStreak > 0 then
    local streak = automation.state.failureStreak
    add("Failed", streak == 1 and "the last run" or ("the last %d runs"):format(streak), "SextonBad")
  end
  local client = automation.createdBy.client
  local by = client and " by " .. text.quoted(client) or ""
  add("Created", words.relative_and_clock(automation.createdAt, now) .. by)
  for _, warning in ipairs(automation.state.warnings) do
    add("Warning", text.one_line(warning, 1000), "SextonWarn")
  end
  return card
end

local function card_lines(card)
  return vim.tbl_map(function(entry)
    local name, said, group = unpack(entry)
    local line = (" %-9s%s"):format(name, said)
    local marks = { { "SextonFaint", 1, 1 + #name } }
    if group then
      table.insert(marks, { group, #line - #said, #line })
    end
    return { line, marks }
  end, card)
end

local function run_rows(runs, now)
  return vim.tbl_map(function(run)
    local outcome, group = words.outcome(run)
    local took = run.startedAt and run.completedAt and words.span(run.completedAt - run.startedAt) or ""
    return {
      { outcome, group },
      { words.relative(words.outcome_at(run), now) },
      { run.scheduledAt and words.date(run.scheduledAt) or "by hand" },
      { took },
      { words.why(run, now) or "" },
    }
  end, runs)
end

local function draw(view)
  local store = session.store()
  local automation = store and store:automation(view.id)
  local title = automation and text.one_line(automation.title, 160) or "This automation is gone."
  local lines, about = { { " " .. title, { { "SextonTitle", 1, 1 + #title } } } }, {}
  table.insert(lines, buffers.keys_line(KEYS))
  table.insert(lines, { "" })
  local now = words.now()
  if automation then
    vim.list_extend(lines, card_lines(card_of(automation, store, now)))
    table.insert(lines, { "" })
  end
  if #view.runs > 0 then
    local headings = {
      { heading = "LAST RUNS" },
      { heading = "" },
      { heading = "DUE" },
      { heading = "TOOK" },
      { heading = "", least = { 8 } },
    }
    local written = columns.lines(headings, run_rows(view.runs, now), buffers.width(view.buffer), 1)
    for place, line in ipairs(written) do
      table.insert(lines, line)
      about[#lines] = view.runs[place - 1]
    end
  end
  view.about = about
  buffers.write(view.buffer, lines)
end

--- Reads the last runs, once for all changes that come while that goes on.
local function read_runs(view)
  if view.is_reading then
    view.is_stale = true
    return
  end
  view.is_reading, view.is_stale = true, false
  session.request("run/list", { automationID = view.id, limit = RUNS }, function(_, page)
    view.is_reading = false
    if not vim.api.nvim_buf_is_valid(view.buffer) then
      return
    end
    if page then
      view.runs = page.items
    end
    draw(view)
    if view.is_stale then
      read_runs(view)
    end
  end)
end

local function on_automation(view, action)
  return function()
    local store = session.store()
    local automation = store and store:automation(view.id)
    if automation then
      action(automation, view.about[vim.api.nvim_win_get_cursor(0)[1]])
    end
  end
end

--- Why and whose output may be asked of any run; only one that has not ended can be cancelled or answered.
local function if_active(action)
  return function(automation, run)
    action(automation, run and not words.has_ended(run) and run or nil)
  end
end

local function made(view)
  local buffer = view.buffer
  buffers.key(buffer, "run", on_automation(view, actions.run))
  buffers.key(buffer, "cancel", on_automation(view, if_active(actions.cancel)))
  buffers.key(buffer, "pause", on_automation(view, actions.pause))
  buffers.key(buffer, "output", on_automation(view, actions.output))
  buffers.key(buffer, "answer", on_automation(view, if_active(actions.answer)))
  buffers.key(buffer, "why", on_automation(view, actions.why))
  buffers.key(buffer, "refresh", function()
    read_runs(view)
  end)
  buffers.key(buffer, "close", buffers.close)
  local function is_visible()
    return #vim.fn.win_findbuf(buffer) > 0
  end
  local stop_listening = {
    session.on("change", function()
      if is_visible() then
        draw(view)
      end
    end),
    session.on("run.updated", function(event)
      if event.run.automationID == view.id and is_visible() then
        read_runs(view)
      end
    end),
  }
  vim.api.nvim_create_autocmd("BufWinEnter", {
    buffer = buffer,
    callback = function()
      read_runs(view)
    end,
  })
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer,
    callback = function()
      for _, stop in ipairs(stop_listening) do
        stop()
      end
    end,
  })
end

--- Shows an automation.
function M.show(automation)
  local title = text.one_line(automation.title, 160)
  buffers.show("sexton://automation/" .. automation.id, title, function(buffer)
    local view = { id = automation.id, buffer = buffer, runs = {}, about = {} }
    made(view)
    draw(view)
    read_runs(view)
  end)
end

return M
