--- What can be done with an automation and its runs. What the sidecar refuses is shown in its words.

local say = require("sexton.say")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- Runs of an automation that are looked through for one that has done something.
local LOOKED_THROUGH = 100

--- A callback that shows what went wrong, and otherwise goes on.
local function or_say(go_on)
  return function(failure, result)
    if failure then
      say.reply(failure.message, vim.log.levels.ERROR)
    elseif go_on then
      go_on(result)
    end
  end
end

--- A run in words, where one of several is to be chosen.
function M.run_in_words(run)
  local outcome = words.outcome(run)
  local when = words.relative_and_clock(words.outcome_at(run), words.now())
  local why = words.why(run, words.now())
  return ("%s: %s %s%s"):format(text.one_line(run.automationTitle, 160), outcome, when, why and ", " .. why or "")
end

--- Goes on with one of the runs: with the only one, or with the one that is chosen.
function M.with_one_of(runs, prompt, go_on)
  if #runs == 1 then
    return go_on(runs[1])
  end
  vim.ui.select(runs, { prompt = prompt, format_item = M.run_in_words, kind = "sexton_run" }, function(run)
    if run then
      go_on(run)
    end
  end)
end

--- Has it run now, in this window.
function M.run(automation)
  session.request("automation/run", { id = automation.id }, or_say())
end

--- Asks a run to end. Asked again, it is ended at once.
function M.cancel(automation, run)
  local runs = run and { run } or session.store():active_runs(automation.id)
  if #runs == 0 then
    return say.reply(("no run of %s is at work or waits"):format(text.quoted(automation.title)))
  end
  M.with_one_of(runs, "Which run is to end?", function(chosen)
    session.request("run/cancel", { id = chosen.id }, or_say())
  end)
end

--- Pauses it, or has it go on. What is so already stays so.
function M.set_paused(automation, is_paused)
  local method = is_paused and "automation/pause" or "automation/resume"
  session.request(method, { id = automation.id }, or_say())
end

--- Pauses what is not paused, and the other way round.
function M.pause(automation)
  M.set_paused(automation, not automation.paused)
end

--- Gives the run whose output is meant: the newest that has not ended, else the newest that has done anything. The
--- sidecar is asked, because it knows of a run that was asked for just now.
local function newest_with_output(automation, go_on)
  local question = { automationID = automation.id, limit = LOOKED_THROUGH }
  session.request("run/list", question, or_say(function(page)
    local worked
    for _, run in ipairs(page.items) do
      if not words.has_ended(run) then
        return go_on(run)
      end
      local has_worked = run.startedAt or (run.output and run.output.bytes > 0)
      worked = worked or (has_worked and run)
    end
    if worked then
      return go_on(worked)
    end
    say.reply(("no run of %s has done anything yet"):format(text.quoted(automation.title)))
  end))
end

--- Shows what a run writes.
function M.output(automation, run)
  local show = require("sexton.view.output").show
  if run then
    return show(run)
  end
  newest_with_output(automation, show)
end

--- Puts to the user what a run asks.
function M.answer(automation, run)
  local runs = run and run.blocker and { run } or session.store():asking(automation.id)
  if #runs == 0 then
    return say.reply(("no run of %s waits for an answer"):format(text.quoted(automation.title)))
  end
  M.with_one_of(runs, "Which one is to be answered?", require("sexton.asking").ask)
end

--- Shows why it ran, or did not: at the time of this run, else the last time that it was due, or else the next one.
function M.why(automation, run)
  local question = { id = automation.id, at = run and run.scheduledAt or nil }
  session.request("automation/explain", question, or_say(function(explanation)
    require("sexton.view.why").show(automation, explanation)
  end))
end

--- Reads everything anew.
function M.refresh()
  local store = session.store()
  if store then
    store:load(or_say())
  end
end

return M
