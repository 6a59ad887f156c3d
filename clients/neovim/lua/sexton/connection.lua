--- A sidecar's process and the conversation with it, over Neovim's own client for language servers.

local compat = require("sexton.compat")
local say = require("sexton.say")

local Connection = {}
Connection.__index = Connection

--- Errors say themselves where they are shown.
local Failure = {
  __tostring = function(failure)
    return failure.message
  end,
}

--- What went wrong, as callbacks are given it: `kind` for programs, `message` for people.
---
--- Of a refusal by the sidecar, `kind`, `code` and `data` are those of the protocol, and nothing was changed.
--- `sidecar_lost`: it went before it had answered, and whether it had done what was asked is not known.
--- `sidecar_unavailable`: there is none, and nothing was asked.
function Connection.failure(kind, message, code, data)
  return setmetatable({ kind = kind, message = message, code = code, data = data }, Failure)
end

local function refusal(error)
  local kind = type(error.data) == "table" and error.data.kind or "refused"
  return Connection.failure(kind, error.message or "the sidecar refused it without a word", error.code, error.data)
end

--- Starts a sidecar. `on_gone` is called once, when its process has ended, with the exit code and the signal.
---
---@return table|nil connection
---@return table|nil failure
function Connection.start(command, directory, on_gone)
  if vim.fn.executable(command[1]) == 0 then
    local hint = "install sexton, or name the program in the option `command`"
    local message = ("the program `%s` was not found; %s"):format(command[1], hint)
    return nil, Connection.failure("sidecar_unavailable", message)
  end
  local self = setmetatable({ pending = {}, asked = 0, listeners = {}, is_gone = false }, Connection)
  local client, error = compat.start_rpc(command, {
    notification = function(_, params)
      self:_told(params)
    end,
    on_error = function(code, message)
      say.reply(("the conversation failed (%s): %s"):format(code, vim.inspect(message)), vim.log.levels.ERROR)
    end,
    on_exit = vim.schedule_wrap(function(code, signal)
      self:_gone(code, signal, on_gone)
    end),
  }, directory)
  if client == nil then
    return nil, Connection.failure("sidecar_unavailable", error)
  end
  self.client = client
  return self
end

--- A notification of one of the subscriptions, which are the only ones there are.
function Connection:_told(params)
  local listener = params and self.listeners[params.subscription]
  if listener then
    listener(params.result)
  end
end

function Connection:_gone(code, signal, on_gone)
  self.is_gone = true
  self.how = signal ~= 0 and ("was killed by signal %d"):format(signal) or ("exited with code %d"):format(code)
  local pending = self.pending
  self.pending, self.listeners = {}, {}
  on_gone(code, signal)
  for _, asked in pairs(pending) do
    asked.callback(self:_lost(asked.method))
  end
end

function Connection:_lost(method)
  return Connection.failure("sidecar_lost", ("%s: the sidecar %s"):format(method, self.how or "has gone"))
end

--- Asks something. The callback is called exactly once, and never before this returns.
---
---@param callback fun(failure: table|nil, result: any)
function Connection:request(method, params, callback)
  self.asked = self.asked + 1
  local number = self.asked
  self.pending[number] = { method = method, callback = callback }
  local function answered(error, result)
    local asked = self.pending[number]
    if asked then
      self.pending[number] = nil
      asked.callback(error and refusal(error), result)
    end
  end
  -- What cannot be sent is answered by the end of the process, or here if that was told already.
  if not self.client.request(method, params, answered) and self.is_gone then
    self.pending[number] = nil
    vim.schedule(function()
      callback(self:_lost(method))
    end)
  end
end

function Connection:notify(method)
  self.client.notify(method)
end

--- Opens a subscription. `listener` is called with each thing that it tells, after the callback.
---
---@param callback fun(failure: table|nil, subscription: string|nil)
function Connection:subscribe(method, params, listener, callback)
  self:request(method, params, function(failure, subscription)
    if subscription then
      self.listeners[subscription] = listener
    end
    callback(failure, subscription)
  end)
end

--- Ends a subscription. What is still on its way is told to nobody.
function Connection:unsubscribe(method, subscription)
  self.listeners[subscription] = nil
  -- A sidecar that does not know it any more has ended it already.
  self:request(method, { subscription = subscription }, function() end)
end

--- Ends the process without a word.
function Connection:terminate()
  self.client.terminate()
end

--- Ends a process that does not hear, also one that is stopped.
function Connection:kill()
  self.client.kill()
end

return Connection
