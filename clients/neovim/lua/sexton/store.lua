--- What is known of the project: its automations, the runs that have not ended, and the last run of each.
---
--- It is read once and kept fresh by events. A list says how far it reaches (`seq`), so an event that is older than what
--- is known changes nothing.

--- The most that one page may have.
local AUTOMATIONS_PER_PAGE = 500
local RUNS_PER_PAGE = 100

local NOT_ENDED = { "scheduled", "running", "awaiting_input" }

local Known = {}
Known.__index = Known

local function nothing_known()
  return setmetatable({ automations = {}, order = {}, runs = {}, seqs = {}, floor = 0 }, Known)
end

--- Whether what is said at this place is news of this object; notes it if so.
function Known:_is_news(id, seq)
  if seq < math.max(self.seqs[id] or 0, self.floor) then
    return false
  end
  self.seqs[id] = seq
  return true
end

function Known:put_automation(automation, seq, place)
  if not self:_is_news(automation.id, seq) then
    return
  end
  if not self.automations[automation.id] then
    table.insert(self.order, place or 1, automation.id)
  end
  self.automations[automation.id] = automation
  self:_forget_ended_runs_of(automation.id)
end

function Known:put_run(run, seq)
  if self:_is_news(run.id, seq) then
    self.runs[run.id] = run
  end
end

function Known:delete_automation(id, seq)
  if not self:_is_news(id, seq) then
    return
  end
  self.automations[id] = nil
  self.order = vim.tbl_filter(function(other)
    return other ~= id
  end, self.order)
  self:_forget_ended_runs_of(id)
end

--- An ended run is kept only as the last one of its automation, or everything that ever ran would be.
function Known:_forget_ended_runs_of(id)
  local automation = self.automations[id]
  local last = automation and automation.state and automation.state.lastRun
  for run_id, run in pairs(self.runs) do
    if run.automationID == id and run.completedAt and run_id ~= last then
      self.runs[run_id] = nil
      self.seqs[run_id] = nil
    end
  end
end

--- Everything was read: from here on events alone tell what is new, so what is gone need not be remembered.
function Known:settle()
  for id in pairs(self.seqs) do
    if not self.automations[id] and not self.runs[id] then
      self.seqs[id] = nil
    end
  end
end

local Store = {}
Store.__index = Store

---@param request fun(method: string, params: table, callback: fun(failure: table|nil, result: any))
---@param changed fun() called when something else is known
function Store.new(request, changed)
  local self = { request = request, changed = changed, known = nothing_known(), descriptions = {}, is_loaded = false }
  return setmetatable(self, Store)
end

--- Reads everything anew. What was known stands until that is done.
---
---@param callback fun(failure: table|nil)
function Store:load(callback)
  local loading = nothing_known()
  local reached
  self.loading = loading
  local function failed(failure)
    if self.loading == loading then
      self.loading = nil
    end
    callback(failure)
  end
  local function done()
    if self.loading ~= loading then
      return
    end
    -- An event that all of the list has seen may still be on its way.
    loading.floor = reached
    loading:settle()
    self.known, self.loading, self.is_loaded = loading, nil, true
    self.changed()
    callback(nil)
  end
  self:_pages("automation/list", { limit = AUTOMATIONS_PER_PAGE }, function(page)
    reached = reached or page.seq
    for _, automation in ipairs(page.items) do
      loading:put_automation(automation, page.seq, #loading.order + 1)
    end
  end, function(failure)
    if failure then
      return failed(failure)
    end
    self:_load_runs(loading, function(refused)
      if refused then
        return failed(refused)
      end
      done()
    end)
  end)
end

function Store:_load_runs(loading, callback)
  local function put(page)
    for _, run in ipairs(page.items) do
      loading:put_run(run, page.seq)
    end
  end
  self:_pages("run/list", { states = NOT_ENDED, limit = RUNS_PER_PAGE }, put, function(failure)
    if failure then
      return callback(failure)
    end
    -- Most automations have their last run among the newest ones; the others are asked for one by one.
    self.request("run/list", { limit = RUNS_PER_PAGE }, function(refused, page)
      if refused then
        return callback(refused)
      end
      put(page)
      self:_load_last_runs(loading, page.seq, callback)
    end)
  end)
end

function Store:_load_last_runs(loading, seq, callback)
  local missing = {}
  for _, automation in pairs(loading.automations) do
    local last = automation.state and automation.state.lastRun
    if last and not loading.runs[last] then
      table.insert(missing, last)
    end
  end
  local open = #missing
  if open == 0 then
    return callback(nil)
  end
  for _, id in ipairs(missing) do
    self.request("run/get", { id = id }, function(_, run)
      -- One that was pruned is not there, and its automation is listed without it.
      if run then
        loading:put_run(run, seq)
      end
      open = open - 1
      if open == 0 then
        callback(nil)
      end
    end)
  end
end

--- Reads a list to its end.
function Store:_pages(method, params, put, callback)
  self.request(method, params, function(failure, page)
    if failure then
      return callback(failure)
    end
    put(page)
    if not page.nextCursor then
      return callback(nil)
    end
    self:_pages(method, vim.tbl_extend("force", params, { cursor = page.nextCursor }), put, callback)
  end)
end

--- Takes in what has happened.
function Store:heard(event)
  for _, known in ipairs({ self.known, self.loading }) do
    if event.kind == "automation.updated" then
      known:put_automation(event.automation, event.seq)
    elseif event.kind == "automation.deleted" then
      known:delete_automation(event.tombstone.id, event.seq)
    elseif event.kind == "run.updated" then
      known:put_run(event.run, event.seq)
    end
  end
  if not self.loading then
    self.known:settle()
  end
  self.changed()
end

--- The automations, newest first.
function Store:automations()
  return vim.tbl_map(function(id)
    return self.known.automations[id]
  end, self.known.order)
end

function Store:automation(id)
  return self.known.automations[id]
end

function Store:run(id)
  return self.known.runs[id]
end

--- The runs that have not ended, oldest first; of one automation, or of all.
function Store:active_runs(automation_id)
  local runs = {}
  for _, run in pairs(self.known.runs) do
    if not run.completedAt and (automation_id == nil or run.automationID == automation_id) then
      table.insert(runs, run)
    end
  end
  table.sort(runs, function(one, other)
    if one.triggeredAt == other.triggeredAt then
      return one.id < other.id
    end
    return (one.triggeredAt or 0) < (other.triggeredAt or 0)
  end)
  return runs
end

--- The runs that wait for an answer, oldest first; one that is to end needs none any more.
function Store:asking(automation_id)
  return vim.tbl_filter(function(run)
    return run.blocker ~= nil and not run.stopping
  end, self:active_runs(automation_id))
end

function Store:last_run(automation)
  local last = automation.state and automation.state.lastRun
  return last and self.known.runs[last]
end

--- When an automation is due, in the words of the sidecar. They are asked for once for each schedule: until they are
--- there, nothing is said.
function Store:schedule_in_words(automation)
  if automation.ofLaterVersion ~= nil then
    return "written by a newer sexton"
  end
  local question = {
    timezone = automation.timezone,
    rhythm = automation.rhythm,
    stop = automation.stop,
    fireAt = automation.fireAt,
    count = 1,
  }
  local key = vim.inspect(question)
  if self.descriptions[key] == nil then
    self.descriptions[key] = ""
    self.request("automation/preview", question, function(failure, preview)
      if failure and failure.kind == "sidecar_lost" then
        self.descriptions[key] = nil
      else
        self.descriptions[key] = preview and preview.description or "?"
      end
      self.changed()
    end)
  end
  local words = self.descriptions[key]
  local zone = self:_machine_zone()
  if zone then
    local first, last = words:find(", " .. zone, 1, true)
    words = first and words:sub(1, first - 1) .. words:sub(last + 1) or words
  end
  return words
end

--- The zone of this machine as the sidecar names it: in its words, the zone is what differs between a schedule of UTC
--- and the same one without a zone. People think in it, so it need not be said.
function Store:_machine_zone()
  if self.zone == nil then
    self.zone = false
    local question = { rhythm = { kind = "cron", expression = "0 0 * * *" }, count = 1 }
    self.request("automation/preview", vim.tbl_extend("force", question, { timezone = "UTC" }), function(_, of_utc)
      self.request("automation/preview", question, function(_, of_machine)
        local same = of_utc and of_utc.description:match("^(.*, )UTC$")
        if same and of_machine and vim.startswith(of_machine.description, same) then
          self.zone = of_machine.description:sub(#same + 1)
          self.changed()
        end
      end)
    end)
  end
  return self.zone
end

return Store
