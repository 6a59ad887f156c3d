--- What runs ask a person: put once, one after the other, and taken back when somebody else has answered.

local say = require("sexton.say")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- What was put to the user already, or need not be.
local offered = {}
--- The runs whose question is to be put next.
local queue = {}
--- What is put to the user now: which question, and the windows that were opened for it.
local open

--- Says something when the prompt has gone from the screen.
local function say_after(message, level)
  vim.schedule(function()
    vim.api.nvim_echo({ { "" } }, false, {})
    vim.cmd("redraw")
    say.notice(message, level)
  end)
end

--- A question is known by its run and by its own id.
local function key_of(run)
  return ("%s %s"):format(run.id, run.blocker.requestID or run.blocker.callID)
end

--- The run as it is now, if it still asks this.
local function still_asking(key)
  for _, run in ipairs(session.store() and session.store():asking() or {}) do
    if key_of(run) == key then
      return run
    end
  end
  return nil
end

local function respond(run, answer)
  answer.id = run.id
  answer.requestID = run.blocker.requestID
  answer.callID = run.blocker.callID
  session.request("run/respond", answer, function(failure)
    if failure and failure.kind == "blocker_gone" then
      say_after(("%s does not wait for this answer any more"):format(text.quoted(run.automationTitle)))
    elseif failure then
      say_after(failure.message, vim.log.levels.ERROR)
    end
  end)
end

local function windows()
  local found = {}
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    found[window] = true
  end
  return found
end

--- Puts a question in whatever way the user has for that.
local function put(run, prompt, answered)
  local blocker = run.blocker
  if blocker.options and #blocker.options > 0 then
    local function label(option)
      return text.one_line(option.label, 200)
    end
    vim.ui.select(blocker.options, { prompt = prompt, format_item = label, kind = "sexton_answer" }, function(option)
      answered(option and { optionID = option.id })
    end)
  else
    vim.ui.input({ prompt = prompt .. " " }, function(typed)
      answered(typed and typed ~= "" and { text = typed } or nil)
    end)
  end
end

local offer_next

--- Asks the user what a run asks, also if that was done before.
function M.ask(run)
  local key = key_of(run)
  offered[key] = true
  local verb = run.blocker.kind == "permission" and "asks for permission" or "asks"
  local prompt = ("%s %s: %s"):format(text.quoted(run.automationTitle), verb, words.asked(run.blocker))
  local before = windows()
  local asked = { key = key, windows = {} }
  open = asked
  local is_over = false
  local is_put, flaw = pcall(put, run, prompt, function(answer)
    if is_over then
      return
    end
    is_over = true
    if open == asked then
      open = nil
    end
    if not still_asking(key) then
      say_after(("%s does not wait for this answer any more"):format(text.quoted(run.automationTitle)))
    elseif answer then
      respond(run, answer)
    else
      say_after(("%s goes on waiting (:Sexton answer)"):format(text.quoted(run.automationTitle)))
    end
    vim.schedule(offer_next)
  end)
  if not is_put and not is_over then
    is_over = true
    open = nil
    local what = ("what %s asks could not be put"):format(text.quoted(run.automationTitle))
    say_after(("%s: %s (:Sexton answer)"):format(what, flaw), vim.log.levels.ERROR)
    vim.schedule(offer_next)
  end
  for window in pairs(is_over and {} or windows()) do
    if not before[window] then
      table.insert(asked.windows, window)
    end
  end
end

--- Nobody is asked while typing, in the middle of a command, or before the last question has been dealt with.
local function may_ask()
  return open == nil and vim.api.nvim_get_mode().mode == "n" and vim.fn.getcmdwintype() == ""
end

function offer_next()
  while #queue > 0 and may_ask() do
    local key = table.remove(queue, 1)
    local run = still_asking(key)
    if run then
      -- The prompts that Neovim has by itself keep everything else from being drawn.
      vim.cmd("redraw")
      M.ask(run)
    end
  end
end

--- Takes back what was put to the user, where that is in windows of its own: closing them is how such prompts end.
local function withdraw()
  if not open or still_asking(open.key) then
    return
  end
  local gone = open
  open = nil
  for _, window in ipairs(gone.windows) do
    if vim.api.nvim_win_is_valid(window) then
      pcall(vim.api.nvim_win_close, window, true)
    end
  end
  vim.schedule(offer_next)
end

--- Forgets questions that nobody asks any more.
local function forget()
  for key in pairs(offered) do
    if not still_asking(key) then
      offered[key] = nil
    end
  end
end

--- Notices who asks something new.
local function changed()
  withdraw()
  forget()
  if session.options().ask then
    for _, run in ipairs(session.store() and session.store():asking() or {}) do
      local key = key_of(run)
      if not offered[key] then
        offered[key] = true
        table.insert(queue, key)
      end
    end
  end
  -- What shows the change comes first.
  vim.schedule(offer_next)
end

--- Listens from now on.
function M.begin()
  session.on("change", changed)
  local group = vim.api.nvim_create_augroup("sexton_asking", { clear = true })
  vim.api.nvim_create_autocmd({ "ModeChanged", "CmdwinLeave" }, {
    group = group,
    callback = function()
      if #queue > 0 then
        vim.schedule(offer_next)
      end
    end,
  })
end

return M
