--- `:Sexton` and what may stand behind it.

local actions = require("sexton.actions")
local attach = require("sexton.attach")
local compat = require("sexton.compat")
local naming = require("sexton.naming")
local say = require("sexton.say")
local session = require("sexton.session")

local M = {}

--- How long a command waits until it knows which automations there are.
local PATIENCE_MS = 5000

local function refuse(message)
  say.reply(message, vim.log.levels.ERROR)
end

--- Whether the automations are known, which is so a moment after the sidecar was started.
local function is_known()
  local store = session.store()
  return store ~= nil and store.is_loaded
end

--- Waits for them, as somebody does who has typed a command.
local function known()
  session.start_for_command()
  local function has_failed()
    return session.state() == "failed" or session.state() == "idle"
  end
  vim.wait(PATIENCE_MS, function()
    return has_failed() or (is_known() and session.state() ~= "starting")
  end, 10)
  if has_failed() then
    -- What is wrong has been said.
    return false
  end
  if not is_known() then
    refuse("the sidecar does not answer; see :checkhealth sexton")
    return false
  end
  return true
end

local function all()
  return session.store():automations()
end

local function with_active_runs()
  return vim.tbl_filter(function(automation)
    return #session.store():active_runs(automation.id) > 0
  end, all())
end

local function with_questions()
  return vim.tbl_filter(function(automation)
    return #session.store():asking(automation.id) > 0
  end, all())
end

local function where_paused(is_paused)
  return function()
    return vim.tbl_filter(function(automation)
      return automation.paused == is_paused
    end, all())
  end
end

--- Does something with the automation that is named, or with one of those that it can be done with.
local function on_automation(intent, fitting, nothing, action)
  local function run(name)
    if not known() then
      return
    end
    if name ~= "" then
      local automation, error = naming.automation(name, intent)
      if not automation then
        return refuse(error)
      end
      return action(automation)
    end
    local candidates = fitting()
    if #candidates == 0 then
      return say.reply(nothing)
    elseif #candidates == 1 and fitting ~= all then
      return action(candidates[1])
    end
    local options = {
      prompt = "Which automation?",
      kind = "sexton_automation",
      format_item = function(automation)
        return automation.title
      end,
    }
    vim.ui.select(candidates, options, function(automation)
      if automation then
        action(automation)
      end
    end)
  end
  return {
    run = run,
    complete = function(lead)
      session.start()
      return is_known() and naming.completions(fitting(), lead) or {}
    end,
  }
end

--- The same, where the id of a run may stand as well.
local function on_run(intent, fitting, nothing, action)
  local command = on_automation(intent, fitting, nothing, action)
  local run_automation = command.run
  command.run = function(name)
    if not vim.startswith(name, "run_") then
      return run_automation(name)
    end
    if not known() then
      return
    end
    session.request("run/get", { id = name }, function(failure, run)
      if failure then
        return refuse(failure.message)
      end
      action({ id = run.automationID, title = run.automationTitle }, run)
    end)
  end
  return command
end

local function plain(run)
  return {
    run = run,
    complete = function()
      return {}
    end,
  }
end

local NONE = "this project has no automations yet"

local COMMANDS = {
  run = on_automation("act", all, NONE, actions.run),
  cancel = on_run("act", with_active_runs, "no run is at work or waits", actions.cancel),
  pause = on_automation("act", where_paused(false), "there is nothing to pause", function(automation)
    actions.set_paused(automation, true)
  end),
  resume = on_automation("act", where_paused(true), "nothing is paused", function(automation)
    actions.set_paused(automation, false)
  end),
  output = on_run("look", all, NONE, actions.output),
  answer = on_run("act", with_questions, "no run waits for an answer", actions.answer),
  why = on_automation("look", all, NONE, actions.why),
  show = on_automation("look", all, NONE, function(automation)
    require("sexton.view.details").show(automation)
  end),
  log = plain(function()
    vim.cmd("split " .. vim.fn.fnameescape(compat.log_path()))
  end),
  restart = plain(session.restart),
  stop = plain(function()
    session.stop("force")
  end),
}

local function names()
  local found = vim.tbl_keys(COMMANDS)
  table.sort(found)
  return found
end

local function run(call)
  attach()
  local name, rest = call.args:match("^(%S*)%s*(.-)%s*$")
  if name == "" then
    return require("sexton.view.list").show()
  end
  local command = COMMANDS[name]
  if not command then
    return refuse(("there is no `:Sexton %s`; there are %s"):format(name, table.concat(names(), ", ")))
  end
  command.run(rest)
end

--- What may be typed next. A title is one word or several, so that its later words are what is completed.
local function complete(_, line)
  local typed = line:match("Sexton!?%s+(.*)$") or ""
  local name, rest = typed:match("^(%S+)%s+(.*)$")
  if not name then
    return vim.tbl_filter(function(other)
      return vim.startswith(other, typed)
    end, names())
  end
  local command = COMMANDS[name]
  if not command then
    return {}
  end
  -- However many blanks were typed between the words that are there already.
  local _, words_before = (rest:match("^(.*%s)") or ""):gsub("%S+", "")
  return vim.tbl_map(function(found)
    return (found:gsub("%S+%s+", "", words_before))
  end, command.complete(rest))
end

--- Defines `:Sexton`.
function M.define()
  vim.api.nvim_create_user_command("Sexton", run, {
    nargs = "*",
    complete = complete,
    desc = "The automations of this project",
  })
end

return M
