--- The list of automations: when each is due, what became of it last, what is at work, and what waits for an answer.

local actions = require("sexton.actions")
local buffers = require("sexton.view.buffer")
local columns = require("sexton.view.columns")
local compat = require("sexton.compat")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

local NAME = "sexton://automations"

local KEYS = {
  { "run", "run" },
  { "cancel", "cancel" },
  { "pause", "pause" },
  { "output", "output" },
  { "answer", "answer" },
  { "why", "why" },
  { "details", "details" },
  { "close", "close" },
}

--- How far away a time is whose seconds are told, and how often the distances are written anew then and otherwise.
local NEAR_MS = 90 * 1000
local NEAR_EVERY_MS = 1000
local FAR_EVERY_MS = 20 * 1000

local view

local function state_in_words()
  local state = session.state()
  if state == "ready" then
    if session.is_owner() then
      return "rings the bell", "SextonFaint"
    end
    return "another window rings the bell", "SextonFaint"
  elseif state == "starting" then
    return "starting", "SextonFaint"
  elseif state == "lost" then
    return "the sidecar is lost; another one is started", "SextonWarn"
  elseif state == "failed" then
    return "no sidecar; :Sexton restart tries again", "SextonBad"
  end
  return "stopped; :Sexton restart starts it again", "SextonWarn"
end

local function head()
  local directory = session.directory()
  local name = " " .. (directory and vim.fn.fnamemodify(directory, ":~") or "Automations")
  local said, group = state_in_words()
  local line = name .. "  " .. said
  return { line, { { "SextonTitle", 1, #name }, { group, #name + 2, #line } } }
end

--- When it is due next, or why it is not.
local function next_cell(automation, now)
  if automation.ofLaterVersion ~= nil then
    return { "-" }
  end
  if automation.pause then
    local why, group = words.paused(automation.pause)
    return { "paused, " .. why, group }
  end
  local at = automation.state.nextFireAt
  if not at then
    return { "over", "SextonFaint" }
  end
  return { words.relative_and_clock(at, now) }
end

local function last_cell(run, now)
  if not run then
    return { "-", "SextonFaint" }
  end
  local word, group = words.outcome(run)
  return { ("%s %s"):format(word, words.relative(words.outcome_at(run), now)), group }
end

--- What is to be said of a run below its automation; nil if the row says it all.
local function run_line(run, is_only, now)
  local why = words.why(run, now)
  if is_only and not why then
    return nil
  end
  local word, group = words.outcome(run)
  local said = ("     %s%s"):format(word, why and ": " .. why or "")
  return { said, { { group, 5, 5 + #word } } }
end

--- The lines, and which automation and run each of them is about.
local function lines_of(store, now, room)
  local automations = store:automations()
  local rows, active = {}, {}
  for place, automation in ipairs(automations) do
    active[place] = store:active_runs(automation.id)
    rows[place] = {
      { text.one_line(automation.title, 160), "SextonTitle" },
      { store:schedule_in_words(automation) },
      next_cell(automation, now),
      last_cell(store:last_run(automation), now),
    }
  end
  -- What became of it and how far away it is due can be read at 60 columns as well.
  local headings = {
    { heading = "TITLE", least = { 14, 10, 1 } },
    { heading = "WHEN", least = { 12, 8, 1 } },
    { heading = "NEXT", least = { 22, 12, 1 } },
    { heading = "LAST RUN", least = { 20, 20, 1 } },
  }
  local written = columns.lines(headings, rows, room, 3)
  local lines, about = { written[1] }, { {} }
  for place, automation in ipairs(automations) do
    local line, marks = unpack(written[place + 1])
    local runs = active[place]
    if #store:asking(automation.id) > 0 then
      line, marks = " ?" .. line:sub(3), vim.list_extend({ { "SextonWarn", 1, 2 } }, marks)
    elseif #runs > 0 then
      line, marks = " *" .. line:sub(3), vim.list_extend({ { "SextonActive", 1, 2 } }, marks)
    end
    table.insert(lines, { line, marks })
    table.insert(about, { automation = automation.id })
    local is_only = #runs == 1 and automation.state ~= nil and runs[1].id == automation.state.lastRun
    for _, run in ipairs(runs) do
      local below = run_line(run, is_only, now)
      if below then
        below[1] = text.cut(below[1], room)
        table.insert(lines, below)
        table.insert(about, { automation = automation.id, run = run.id })
      end
    end
  end
  return lines, about
end

--- Where the cursor of each window stands, as what it stands on.
local function cursors(buffer)
  local found = {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local cursor = vim.api.nvim_win_get_cursor(window)
    found[window] = { cursor = cursor, about = view.about[cursor[1]] }
  end
  return found
end

--- Sets the cursors on what they stood on, however the lines have moved.
local function restore(found)
  for window, stood in pairs(found) do
    local row = math.min(stood.cursor[1], #view.about)
    for number, about in ipairs(view.about) do
      local on_same = stood.about and stood.about.automation and about.automation == stood.about.automation
      if on_same and about.run == stood.about.run then
        row = number
        break
      end
    end
    vim.api.nvim_win_set_cursor(window, { row, stood.cursor[2] })
  end
end

local function nothing_listed()
  return {
    { "" },
    { "   This project has no automations yet. Add one in a terminal:" },
    { "" },
    { '     sexton add "Morning tests" --cron "0 9 * * 1-5" -- make test', { { "SextonActive", 5, 65 } } },
  }
end

local function draw()
  local buffer = view.buffer
  local room = buffers.width(buffer)
  local lines, about = { head(), buffers.keys_line(KEYS) }, { {}, {} }
  for _, reason in ipairs(view.reasons) do
    local line = " ! " .. text.one_line(reason, 400)
    table.insert(lines, { line, { { "SextonBad", 1, #line } } })
    table.insert(about, {})
  end
  table.insert(lines, { "" })
  table.insert(about, {})
  local store = session.store()
  if store and store.is_loaded then
    local listed, listed_about = lines_of(store, words.now(), room)
    if #listed == 1 then
      listed, listed_about = nothing_listed(), { {}, {}, {}, {} }
    end
    vim.list_extend(lines, listed)
    vim.list_extend(about, listed_about)
  end
  local stood = cursors(buffer)
  view.about = about
  buffers.write(buffer, lines)
  restore(stood)
end

--- How long the distances to now stay as they are written.
local function fresh_for()
  local store, now = session.store(), words.now()
  for _, automation in ipairs(store and store:automations() or {}) do
    local run = store:last_run(automation)
    for _, at in pairs({ automation.state and automation.state.nextFireAt, run and words.outcome_at(run) }) do
      if math.abs(at - now) < NEAR_MS then
        return NEAR_EVERY_MS
      end
    end
  end
  return FAR_EVERY_MS
end

local function is_visible()
  return view ~= nil and #vim.fn.win_findbuf(view.buffer) > 0
end

--- Writes everything, and again when the distances to now have changed, for as long as somebody sees it.
local function refresh()
  view.timer:stop()
  if not is_visible() then
    return
  end
  draw()
  view.timer:start(
    fresh_for(),
    0,
    vim.schedule_wrap(function()
      if view then
        refresh()
      end
    end)
  )
end

--- Asks whether something is wrong, which no event tells.
local function look_at_health()
  session.request("scheduler/status", {}, function(_, status)
    if view and status then
      view.reasons = status.reasons
      refresh()
    end
  end)
end

--- What the cursor stands on, as `{automation, run}`; nil if on neither.
local function under_cursor()
  local about = view.about[vim.api.nvim_win_get_cursor(0)[1]] or {}
  local store = session.store()
  local automation = store and about.automation and store:automation(about.automation)
  if not automation then
    return nil
  end
  return automation, about.run and store:run(about.run) or nil
end

local function on_automation(action)
  return function()
    local automation, run = under_cursor()
    if automation then
      action(automation, run)
    end
  end
end

local function made(buffer)
  local stop_listening = {
    session.on("change", refresh),
    session.on("scheduler.owner", look_at_health),
  }
  view = { buffer = buffer, about = {}, reasons = {}, timer = compat.uv.new_timer() }
  for _, name in ipairs({ "run", "cancel", "pause", "output", "answer", "why" }) do
    buffers.key(buffer, name, on_automation(actions[name]))
  end
  buffers.key(buffer, "details", on_automation(function(automation)
    require("sexton.view.details").show(automation)
  end))
  buffers.key(buffer, "refresh", function()
    actions.refresh()
    look_at_health()
  end)
  buffers.key(buffer, "close", buffers.close)
  vim.api.nvim_create_autocmd("BufWinEnter", { buffer = buffer, callback = refresh })
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer,
    callback = function()
      view.timer:close()
      view = nil
      for _, stop in ipairs(stop_listening) do
        stop()
      end
    end,
  })
  vim.api.nvim_create_autocmd(compat.RESIZED, {
    callback = function()
      if view then
        refresh()
      end
      return view == nil
    end,
  })
end

--- Shows the list, and starts the sidecar if there is none.
function M.show()
  session.start()
  buffers.show(NAME, nil, made)
  refresh()
  look_at_health()
end

return M
