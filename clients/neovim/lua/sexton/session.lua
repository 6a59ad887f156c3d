--- The project that this window has open: its sidecar, what is known of it, and who is told.

local Store = require("sexton.store")
local Supervisor = require("sexton.supervisor")
local config = require("sexton.config")
local project = require("sexton.project")
local say = require("sexton.say")

local M = {}

--- What may be listened to beside the events of the protocol: how the sidecar is, that something else is known, every
--- event, and those that a person should be told of.
local OWN_KINDS = { state = true, change = true, event = true, important = true }

local EVENT_KINDS = {
  ["automation.updated"] = true,
  ["automation.deleted"] = true,
  ["run.updated"] = true,
  ["run.warning"] = true,
  ["scheduler.owner"] = true,
  ["scheduler.suspended"] = true,
  ["scheduler.clock"] = true,
  ["lifecycle.completed"] = true,
  ["lifecycle.failed"] = true,
  ["provider.updated"] = true,
  ["resync"] = true,
}

local options = config.read(nil)
local listeners = {}
local supervisor, store
--- What is followed beside the events, also in a sidecar that was started anew.
local followed = {}
--- Why there is no supervisor although somebody wanted one.
local trouble
--- Whether this sidecar rings the bell.
local is_owner = false
local is_change_told = true

--- Takes over the options. A sidecar that is there goes on as it was started.
function M.configure(chosen)
  options = config.read(chosen)
end

function M.options()
  return options
end

--- Calls a function with everything of a kind, until the function that is given back is called.
function M.on(kind, listener)
  if not OWN_KINDS[kind] and not EVENT_KINDS[kind] then
    error(("sexton: there is nothing of the kind `%s` to listen to"):format(tostring(kind)), 0)
  end
  listeners[kind] = listeners[kind] or {}
  table.insert(listeners[kind], listener)
  return function()
    listeners[kind] = vim.tbl_filter(function(other)
      return other ~= listener
    end, listeners[kind])
  end
end

--- A listener that fails keeps nobody else from being told.
local function tell(kind, ...)
  for _, listener in ipairs(vim.list_slice(listeners[kind] or {})) do
    local is_told, error = pcall(listener, ...)
    if not is_told then
      say.reply(("a listener of `%s` failed: %s"):format(kind, error), vim.log.levels.ERROR)
    end
  end
end

--- Many changes come together; whoever draws them is told once.
local function changed()
  -- While Neovim ends there is nobody to see it any more.
  if not is_change_told or vim.v.exiting ~= vim.NIL then
    return
  end
  is_change_told = false
  vim.schedule(function()
    is_change_told = true
    tell("change")
  end)
end

local function load()
  local loading = store
  loading:load(function(failure)
    -- One that was lost is followed by another one, which is asked.
    if failure and failure.kind ~= "sidecar_lost" and loading == store then
      say.reply("the automations could not be listed: " .. failure.message, vim.log.levels.ERROR)
    end
  end)
end

local function heard(event)
  if event.kind == "resync" then
    load()
  else
    store:heard(event)
  end
  if event.kind == "scheduler.owner" then
    is_owner = event.scheduler.instanceID == supervisor.opened.instanceID
  end
  tell(event.kind, event)
  tell("event", event)
  if event.important then
    tell("important", event)
  end
end

--- Everything that happens, in order, from the first sidecar's beginning on.
local function events()
  local place
  return {
    opens = "events/subscribe",
    closes = "events/unsubscribe",
    params = function(opened)
      place = place or { after = opened.seq, ledgerID = opened.ledgerID }
      return place
    end,
    heard = function(event, opened)
      place = { after = event.seq, ledgerID = opened.ledgerID }
      heard(event)
    end,
    refused = function(failure)
      say.reply("events cannot be followed: " .. failure.message, vim.log.levels.ERROR)
    end,
  }
end

local function say_failure(failure)
  local hint = ":Sexton restart tries again, :checkhealth sexton says more"
  say.reply(("%s (%s)"):format(failure.message, hint), vim.log.levels.ERROR)
end

local function on_state(state, failure)
  if state == "ready" then
    is_owner = supervisor.opened.scheduler.owner
    if not store.is_loaded then
      load()
    end
    for _, warning in ipairs(supervisor.opened.warnings) do
      say.reply(warning, vim.log.levels.WARN)
    end
  elseif state == "failed" then
    say_failure(failure)
  end
  tell("state", state, failure)
  changed()
end

--- Starts the sidecar, unless there is one.
function M.start()
  if supervisor then
    return
  end
  if vim.v.exiting ~= vim.NIL then
    trouble = "Neovim ends"
    return
  end
  local directory, error = project.find(options.project)
  if not directory then
    trouble = error
    say.reply(error, vim.log.levels.ERROR)
    return
  end
  trouble = nil
  local version = vim.version()
  supervisor = Supervisor.new({
    command = options.command,
    directory = directory,
    params = {
      processId = vim.fn.getpid(),
      clientInfo = { name = "Neovim", version = ("%d.%d.%d"):format(version.major, version.minor, version.patch) },
      initializationOptions = vim.tbl_extend("force", options.init_options, { projectDirectory = directory }),
    },
    on_state = on_state,
  })
  local asked = supervisor
  store = Store.new(function(...)
    asked:request(...)
  end, changed)
  supervisor:follow(events())
  for _, feed in ipairs(followed) do
    supervisor:follow(feed)
  end
  supervisor:start()
end

--- Starts the sidecar for somebody who asks for something: one that failed is tried once more, or what is wrong with it is
--- said again.
function M.start_for_command()
  if M.state() ~= "failed" then
    return M.start()
  end
  if not supervisor:retry() then
    say_failure(supervisor.failure)
  end
end

--- Ends the sidecar and returns when it has gone. It is started again when it is needed.
function M.stop(mode, waiting)
  if supervisor then
    local leaving = supervisor
    supervisor, store = nil, nil
    leaving:leave(mode, waiting)
    changed()
  end
end

function M.restart()
  M.stop("force")
  M.start()
end

--- Asks the sidecar something, and starts it if that has to be.
---
---@param callback fun(failure: table|nil, result: any)|nil
function M.request(method, params, callback)
  callback = callback or function() end
  M.start()
  if not supervisor then
    local failure = require("sexton.connection").failure("sidecar_unavailable", trouble)
    vim.schedule(function()
      callback(failure)
    end)
    return
  end
  supervisor:request(method, params, callback)
end

--- Has a subscription go on until `unfollow`, in whichever sidecar; see `Supervisor:follow`.
function M.follow(feed)
  M.start()
  table.insert(followed, feed)
  if supervisor then
    supervisor:follow(feed)
  end
end

function M.unfollow(feed)
  followed = vim.tbl_filter(function(other)
    return other ~= feed
  end, followed)
  if supervisor then
    supervisor:unfollow(feed)
  end
end

--- What is known, if the project is open.
function M.store()
  return store
end

--- `idle` if nobody has wanted a sidecar yet, or it was stopped; see `Supervisor` for the others.
function M.state()
  return supervisor and supervisor.state or "idle"
end

--- What the sidecar has told of itself, if one has.
function M.opened()
  return supervisor and supervisor.opened
end

function M.directory()
  return supervisor and supervisor.plan.directory
end

function M.is_owner()
  return M.state() == "ready" and is_owner
end

return M
