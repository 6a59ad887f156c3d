--- Tells a person what they should know at once, in the words of the sidecar, and never more than can be read.

local say = require("sexton.say")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- What comes within this time is told together.
local GATHERED_MS = 250

--- As many as are told one by one; of more, the newest of the gravest, and how many there were.
local ONE_BY_ONE = 3

local levels = vim.log.levels

local gathered = {}
local is_gathering = false

--- How grave an important event is: what went wrong, what a person may have to do something about, what is only told.
local function level_of(event)
  if event.kind == "lifecycle.failed" then
    return levels.ERROR
  elseif event.kind ~= "run.updated" then
    return levels.WARN
  elseif event.run.state == "failed" then
    return levels.ERROR
  elseif event.run.state == "succeeded" then
    return levels.INFO
  end
  return levels.WARN
end

local function show(notice)
  say.notice(notice.text, notice.level)
end

local function flush()
  is_gathering = false
  local notices = gathered
  gathered = {}
  if #notices <= ONE_BY_ONE then
    for _, notice in ipairs(notices) do
      show(notice)
    end
    return
  end
  local gravest = notices[1]
  for _, notice in ipairs(notices) do
    if notice.level >= gravest.level then
      gravest = notice
    end
  end
  show({ text = ("%s (and %d others; :Sexton shows them)"):format(gravest.text, #notices - 1), level = gravest.level })
end

local function tell(said, level)
  -- A line is what is read at a glance; the event has all of it.
  table.insert(gathered, { text = text.one_line(said, 400), level = level })
  -- As many as anybody could want to be counted; of these the newest are as good as any.
  if #gathered > 1000 then
    table.remove(gathered, 1)
  end
  if not is_gathering then
    is_gathering = true
    vim.defer_fn(flush, GATHERED_MS)
  end
end

local function important(event)
  local notify = session.options().notify
  local is_question = event.kind == "run.updated" and event.run.state == "awaiting_input"
  -- Whoever is asked need not be told that they are.
  if notify and not (is_question and session.options().ask) then
    local hint = is_question and "; `:Sexton answer` answers" or ""
    tell(event.text .. hint, level_of(event))
  end
end

--- The same for whoever wants to hear of everything: what begins, and what ends well or is stopped.
local function run_updated(event)
  local run = event.run
  local is_told = run.state == "running" or words.has_ended(run)
  if session.options().notify == "all" and not event.important and is_told then
    -- Progress is told as a change of the run as well.
    if run.state == "running" and (run.stopping or run.steps > 0) then
      return
    end
    tell(("%s: %s"):format(text.quoted(run.automationTitle), (words.outcome(run))), levels.INFO)
  end
end

--- Listens from now on.
function M.begin()
  session.on("important", important)
  session.on("run.updated", run_updated)
end

return M
