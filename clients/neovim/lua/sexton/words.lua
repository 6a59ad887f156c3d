--- Times, runs and automations in words. They are the words of the command line, so that both tell the same story.

local compat = require("sexton.compat")
local text = require("sexton.text")

local M = {}

local SECOND = 1000
local MINUTE = 60 * SECOND
local HOUR = 60 * MINUTE
local DAY = 24 * HOUR

--- How far away a time may be that is told by its distance; of others the date says more.
local FAR = 7 * DAY

--- The most characters that are told of what others wrote.
local SENTENCE = 400

--- The time, in milliseconds since 1970 (UTC), as everywhere here.
function M.now()
  local seconds, microseconds = compat.uv.gettimeofday()
  return seconds * 1000 + math.floor(microseconds / 1000)
end

local function counted(count, unit)
  if unit == "day" and count ~= 1 then
    return count .. " days"
  end
  return count .. " " .. unit
end

--- A span in one unit, rounded; nil if it is less than half a second.
local function about(ms)
  local function rounded(unit)
    return math.floor((ms + unit / 2) / unit)
  end
  if rounded(SECOND) == 0 then
    return nil
  elseif rounded(SECOND) < 60 then
    return counted(rounded(SECOND), "s")
  elseif rounded(MINUTE) < 60 then
    return counted(rounded(MINUTE), "min")
  elseif rounded(HOUR) < 48 then
    return counted(rounded(HOUR), "h")
  end
  return counted(rounded(DAY), "day")
end

--- A date, and what clocks show here, with seconds where there are any.
local function date_and_time(at)
  local seconds = math.floor(at / 1000)
  local has_seconds = os.date("%S", seconds) ~= "00"
  return os.date("%Y-%m-%d", seconds), os.date(has_seconds and "%H:%M:%S" or "%H:%M", seconds)
end

--- How far away a time is, such as `in 3 h` or `2 min ago`; the date if that is more than a week.
function M.relative(at, now)
  local away = at - now
  if math.abs(away) > FAR then
    return (date_and_time(at))
  end
  local span = about(math.abs(away))
  if span == nil then
    return "now"
  end
  return away < 0 and span .. " ago" or "in " .. span
end

--- What clocks show then, as short as can be understood now.
function M.clock(at, now)
  local date, time = date_and_time(at)
  local away = at - now
  if date == date_and_time(now) then
    return time
  elseif away >= 0 and away < 6 * DAY then
    local weekdays = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
    return weekdays[os.date("*t", math.floor(at / 1000)).wday] .. " " .. time
  end
  return date .. " " .. time
end

--- The distance, and what clocks show then: `in 14 h (Monday 09:00)`.
function M.relative_and_clock(at, now)
  if math.abs(at - now) > FAR then
    return table.concat({ date_and_time(at) }, " ")
  end
  return ("%s (%s)"):format(M.relative(at, now), M.clock(at, now))
end

--- A date with its time.
function M.date(at)
  return table.concat({ date_and_time(at) }, " ")
end

--- How long something took, to two units.
function M.span(ms)
  local function two(unit, name, part, part_name)
    local whole, rest = math.floor(ms / unit), math.floor(ms % unit / part)
    return counted(whole, name) .. (rest > 0 and " " .. counted(rest, part_name) or "")
  end
  ms = math.max(ms, 0)
  if ms < SECOND then
    return ("%d ms"):format(ms)
  elseif ms < 10 * SECOND and ms % SECOND >= 100 then
    return ("%d.%d s"):format(math.floor(ms / SECOND), math.floor(ms % SECOND / 100))
  elseif ms < MINUTE then
    return counted(math.floor(ms / SECOND), "s")
  elseif ms < HOUR then
    return two(MINUTE, "min", SECOND, "s")
  elseif ms < DAY then
    return two(HOUR, "h", MINUTE, "min")
  end
  return two(DAY, "day", HOUR, "h")
end

--- What became of a run that was stopped, and the highlight for it.
local STOPPED = {
  missed_schedule = { "missed", "SextonWarn" },
  previous_run_active = { "overlapped", "SextonWarn" },
  previous_run_awaiting_input = { "overlapped", "SextonWarn" },
  paused = { "paused", "SextonFaint" },
  cancelled = { "cancelled", "SextonFaint" },
  superseded = { "superseded", "SextonFaint" },
  writer_busy = { "directory busy", "SextonWarn" },
  capacity = { "no room", "SextonWarn" },
  expired = { "expired", "SextonWarn" },
  ended = { "schedule over", "SextonFaint" },
  precheck_skipped = { "nothing to do", "SextonFaint" },
  interrupted = { "interrupted", "SextonBad" },
  blocker_lost = { "interrupted", "SextonBad" },
  shutdown = { "window closed", "SextonWarn" },
}

--- Whether it has ended; what a later version wrote counts by its time.
function M.has_ended(run)
  return run.completedAt ~= nil
end

--- What became of a run, in a word or two, and the highlight for it. Words that this version does not know, as a later
--- sidecar may tell them, stand for themselves.
function M.outcome(run)
  if not M.has_ended(run) and run.stopping then
    return "stopping", "SextonWarn"
  elseif run.state == "scheduled" then
    return run.waiting and "waiting" or "starting", "SextonActive"
  elseif run.state == "running" then
    return "running", "SextonActive"
  elseif run.state == "awaiting_input" then
    return "asks you", "SextonWarn"
  elseif run.state == "succeeded" then
    return "succeeded", "SextonGood"
  elseif run.state == "failed" then
    return "failed", "SextonBad"
  elseif run.state == "stopped" then
    local known = STOPPED[run.stopReason]
    return known and known[1] or "stopped", known and known[2] or "SextonFaint"
  end
  return text.one_line(tostring(run.state or "unknown"), 40), "SextonFaint"
end

--- When a run did what `outcome` says.
function M.outcome_at(run)
  return run.completedAt or run.startedAt or run.triggeredAt
end

local WAITS_FOR = {
  directory = "its directory",
  previous = "the run before it",
  capacity = "other runs to end: as many are at work as may be",
  close = "a window to be closed",
  catchUp = "its turn: what was missed is made up for one by one",
  executor = "a window that can carry it out",
  retry = "its next try",
}

--- What a run waits for, behind what and until when.
local function waits(waiting, now)
  local words = WAITS_FOR[waiting["for"]] or text.one_line(tostring(waiting["for"]), 40)
  if waiting.behind then
    words = words .. ", behind " .. (vim.startswith(waiting.behind, "run_") and waiting.behind or "your own work")
  end
  return words .. (waiting.untilAt and ", until " .. M.clock(waiting.untilAt, now) or "")
end

--- What a run asks a person, in one line.
function M.asked(blocker)
  return text.one_line(blocker.kind == "permission" and blocker.title or blocker.prompt or "", SENTENCE)
end

--- Why a run is as it is, in a clause; nil if its outcome says it all.
function M.why(run, now)
  if run.blocker then
    return M.asked(run.blocker)
  elseif run.waiting and not M.has_ended(run) then
    return "for " .. waits(run.waiting, now)
  elseif run.error then
    local exit = run["end"] and run["end"].exitCode
    if exit and run.error.code == "execution_failed" and run.task and run.task.kind == "command" then
      return ("the command exited with code %d"):format(exit)
    end
    return text.one_line(run.error.message, SENTENCE)
  end
  return nil
end

local PAUSED = {
  user = { "by hand", "SextonWarn" },
  failures = { "it failed too often", "SextonBad" },
  config = { "it cannot run as it is", "SextonBad" },
  auth = { "a login is missing", "SextonBad" },
  quota = { "a quota is used up", "SextonBad" },
  run = { "its run said so", "SextonWarn" },
}

--- Why an automation is paused, in a word or two, and the highlight for it.
function M.paused(pause)
  local known = PAUSED[pause.reason]
  if not known then
    return text.one_line(tostring(pause.reason), 40), "SextonWarn"
  end
  return known[1], known[2]
end

--- What an automation does, in one line, with what it is.
function M.task(task)
  if task.kind == "command" then
    local words = { task.program }
    vim.list_extend(words, task.args or {})
    return "Command", text.one_line(table.concat(words, " "), SENTENCE)
  elseif task.kind == "prompt" then
    local model = ("%s/%s"):format(task.model.providerID, task.model.modelID)
    return "Prompt", text.one_line(("%s (%s)"):format(task.prompt, model), SENTENCE)
  elseif task.kind == "notify" then
    return "Reminder", text.one_line(task.text, SENTENCE)
  end
  return "Task", text.one_line(tostring(task.kind), 40)
end

return M
