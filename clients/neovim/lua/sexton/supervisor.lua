--- Keeps a sidecar: starts another one when it goes, has subscriptions go on in it, and keeps what is asked meanwhile.
---
--- States: `starting`; `ready`; `lost`, it has gone and another one will be started; `failed`, none could be; `closed`.

local Connection = require("sexton.connection")
local compat = require("sexton.compat")

--- The version of the protocol that is spoken here.
local PROTOCOL = 1

--- How long a sidecar may take to open the project: it needs milliseconds, but a ledger may have to be migrated.
local START_MS = 30000

--- How often in a row a sidecar may fail to start, or go soon after.
local ATTEMPTS = 8

--- How long the second attempt waits; each one after that waits twice as long as the one before, up to the longest.
local FIRST_DELAY_MS = 100
local LONGEST_DELAY_MS = 10000

--- How many requests are kept while there is no sidecar: more than a person asks for in that time.
local MOST_KEPT = 256

--- How long a sidecar that was shut down may take to go, in milliseconds: it needs a second at most.
local LEAVING_MS = 5000

local Supervisor = {}
Supervisor.__index = Supervisor

--- What is to be kept, and who is told.
---
---@param plan table `command`, `directory`, `params` of `initialize`, `on_state(state, failure)`
function Supervisor.new(plan)
  return setmetatable({ plan = plan, state = "idle", failures = 0, kept = {}, feeds = {} }, Supervisor)
end

function Supervisor:_become(state, failure)
  self.state = state
  self.plan.on_state(state, failure)
end

function Supervisor:start()
  self:_become("starting")
  self:_attempt()
end

--- Makes one more attempt after all of them have failed; gives whether it does, because some failures do not pass.
function Supervisor:retry()
  if self.state ~= "failed" or self.failure.does_not_pass then
    return false
  end
  self.failures = ATTEMPTS - 1
  self:start()
  return true
end

function Supervisor:_attempt()
  if self.state == "closed" then
    return
  end
  local started_at = compat.uv.now()
  local connection, failure
  connection, failure = Connection.start(self.plan.command, self.plan.directory, function()
    self:_gone(connection, started_at)
  end)
  if not connection then
    return self:_fail(failure)
  end
  self.coming = connection
  local is_answered = false
  connection:request("initialize", self.plan.params, function(refused, opened)
    is_answered = true
    if self.coming ~= connection then
      return
    end
    if opened and opened.protocolVersion ~= PROTOCOL then
      local versions = ("version %s of the protocol, this plugin version %d"):format(opened.protocolVersion, PROTOCOL)
      local message = ("the sidecar speaks %s; update the older one of the two"):format(versions)
      refused = Connection.failure("sidecar_unavailable", message)
      refused.does_not_pass = true
    end
    if not refused then
      return self:_ready(connection, opened)
    end
    -- One that went is started again by whoever is told of its end.
    if refused.kind ~= "sidecar_lost" then
      self.coming = nil
      connection:terminate()
      -- The options that it does not take are those that every attempt has.
      refused.does_not_pass = refused.does_not_pass or refused.kind == "invalid_params"
      self:_fail(refused)
    end
  end)
  vim.defer_fn(function()
    if not is_answered and self.coming == connection then
      connection:terminate()
    end
  end, START_MS)
end

function Supervisor:_ready(connection, opened)
  self.coming = nil
  self.connection = connection
  self.opened = opened
  self:_become("ready")
  for _, feed in ipairs(vim.list_slice(self.feeds)) do
    self:_open(feed)
  end
  local kept = self.kept
  self.kept = {}
  for _, asked in ipairs(kept) do
    connection:request(asked.method, asked.params, asked.callback)
  end
end

function Supervisor:_gone(connection, started_at)
  if self.coming ~= connection and self.connection ~= connection then
    return
  end
  self.coming, self.connection = nil, nil
  for _, feed in ipairs(self.feeds) do
    feed.subscription = nil
  end
  if self.state == "closed" then
    return
  end
  local has_lived = compat.uv.now() - started_at > LONGEST_DELAY_MS
  self.failures = has_lived and 0 or self.failures + 1
  if self.failures >= ATTEMPTS then
    local message = ("the sidecar %s, and has gone too often to be started again"):format(connection.how)
    return self:_fail(Connection.failure("sidecar_unavailable", message))
  end
  self:_become("lost")
  local delay = self.failures > 1 and FIRST_DELAY_MS * 2 ^ (self.failures - 2) or 0
  vim.defer_fn(function()
    self:_attempt()
  end, math.min(delay, LONGEST_DELAY_MS))
end

function Supervisor:_fail(failure)
  self.failure = failure
  self:_become("failed", failure)
  self:_refuse_kept(failure)
end

function Supervisor:_refuse_kept(failure)
  local kept = self.kept
  self.kept = {}
  for _, asked in ipairs(kept) do
    asked.callback(failure)
  end
end

--- Asks something; while there is no sidecar, waits for it. The callback is called exactly once.
---
---@param callback fun(failure: table|nil, result: any)
function Supervisor:request(method, params, callback)
  if self.connection then
    return self.connection:request(method, params, callback)
  end
  local failure
  if self.state == "failed" then
    failure = Connection.failure("sidecar_unavailable", ("%s: %s"):format(method, self.failure.message))
  elseif self.state == "closed" then
    failure = Connection.failure("sidecar_unavailable", method .. ": the project is closed in this window")
  elseif #self.kept >= MOST_KEPT then
    failure = Connection.failure("sidecar_unavailable", method .. ": too much is waiting for the sidecar to start")
  end
  if not failure then
    table.insert(self.kept, { method = method, params = params, callback = callback })
    return
  end
  vim.schedule(function()
    callback(failure)
  end)
end

--- Has a subscription go on for as long as it is wanted, in whichever sidecar.
---
---@param feed table `opens` and `closes`, the methods; `params(opened)`, what is asked for next; `heard(item, opened)`;
---`refused(failure)`, if the sidecar does not open it
function Supervisor:follow(feed)
  feed.is_over, feed.subscription = false, nil
  table.insert(self.feeds, feed)
  if self.connection then
    self:_open(feed)
  end
end

function Supervisor:_open(feed)
  local connection, opened = self.connection, self.opened
  local function heard(item)
    if not feed.is_over then
      feed.heard(item, opened)
    end
  end
  connection:subscribe(feed.opens, feed.params(opened), heard, function(failure, subscription)
    if feed.is_over then
      if subscription then
        connection:unsubscribe(feed.closes, subscription)
      end
    elseif subscription then
      feed.subscription = subscription
    elseif failure.kind ~= "sidecar_lost" then
      self:unfollow(feed)
      feed.refused(failure)
    end
  end)
end

--- Ends a subscription: nothing more is told.
function Supervisor:unfollow(feed)
  feed.is_over = true
  self.feeds = vim.tbl_filter(function(other)
    return other ~= feed
  end, self.feeds)
  if feed.subscription and self.connection then
    self.connection:unsubscribe(feed.closes, feed.subscription)
  end
  feed.subscription = nil
end

--- Ends the sidecar, and returns when its process has gone. `wait` lets the runs of this window end first; whoever
--- interrupts that (Ctrl-C) stops them.
---
---@param mode "force"|"wait"
---@param waiting fun()|nil told if there are runs to wait for
function Supervisor:leave(mode, waiting)
  local connection = self.connection
  local coming = self.coming
  if self.state == "closed" then
    return
  end
  for _, feed in ipairs(self.feeds) do
    feed.is_over = true
  end
  self.feeds = {}
  self:_become("closed")
  self:_refuse_kept(Connection.failure("sidecar_unavailable", "the project is closed in this window"))
  local is_heard = true
  if connection then
    if mode == "wait" then
      self:_wait_for_runs(connection, waiting)
    end
    local is_answered = false
    connection:request("shutdown", { mode = "force" }, function()
      is_answered = true
    end)
    is_heard = vim.wait(LEAVING_MS, function()
      return is_answered
    end, 10)
    connection:notify("exit")
  elseif coming then
    connection = coming
    connection:terminate()
  end
  local function has_gone()
    return connection == nil or connection.is_gone
  end
  if not (is_heard and vim.wait(LEAVING_MS, has_gone, 10)) and not has_gone() then
    -- Its guards end what it has left, and the next window records how.
    connection:kill()
    vim.wait(LEAVING_MS, has_gone, 10)
  end
end

--- Returns when the runs of this window have ended, the sidecar has gone, or somebody does not want to wait.
function Supervisor:_wait_for_runs(connection, waiting)
  local is_over, awaited = false, nil
  local ended = {}
  local function heard(event)
    ended[event.lifecycle.id] = true
    is_over = is_over or awaited == event.lifecycle.id
  end
  -- Asked for before the shutdown, so that its end is heard however soon it comes.
  local kinds = { "lifecycle.completed", "lifecycle.failed" }
  connection:subscribe("events/subscribe", { kinds = kinds }, heard, function() end)
  connection:request("shutdown", { mode = "maintenance" }, function(failure, result)
    awaited = result and result.status == "deferred" and result.lifecycleActionID or nil
    is_over = failure ~= nil or awaited == nil or ended[awaited] == true
    if not is_over and waiting then
      waiting()
    end
  end)
  -- A year is as good as for ever.
  vim.wait(365 * 24 * 3600 * 1000, function()
    return is_over or connection.is_gone
  end, 50)
end

return Supervisor
