--- `:checkhealth sexton`.

local Connection = require("sexton.connection")
local compat = require("sexton.compat")
local project = require("sexton.project")
local session = require("sexton.session")
local words = require("sexton.words")

local M = {}

--- How long the sidecar may take for an answer: it needs milliseconds.
local PATIENCE_MS = 5000

--- Asks and waits.
local function ask(connection, method, params)
  local is_answered, failure, result = false, nil, nil
  connection:request(method, params, function(...)
    failure, result = ...
    is_answered = true
  end)
  vim.wait(PATIENCE_MS, function()
    return is_answered
  end, 5)
  if not is_answered then
    failure = Connection.failure("no_answer", ("%s was not answered within %d s"):format(method, PATIENCE_MS / 1000))
  end
  return failure, result
end

local function check_neovim(health)
  health.start("Neovim")
  local version = vim.version()
  local said = ("Neovim %d.%d.%d"):format(version.major, version.minor, version.patch)
  if vim.fn.has("nvim-" .. compat.OLDEST) == 1 then
    health.ok(said)
  else
    health.error(said .. " is too old", { ("The plugin is written for %s and later."):format(compat.OLDEST) })
  end
end

local function check_program(health)
  health.start("The program")
  local command = session.options().command
  local path = vim.fn.exepath(command[1])
  if path == "" then
    health.error(("`%s` was not found"):format(command[1]), {
      "Install sexton so that it is in the search path of Neovim.",
      'Or name it: require("sexton").setup{ command = { "/path/to/sexton", "--stdio" } }',
    })
    return false
  end
  health.ok(path)
  return true
end

local function check_status(health, status, opened)
  if status.owner and status.owner.instanceID == opened.instanceID then
    health.info("no window has the project open, so nothing fires")
  elseif status.owner then
    local client = status.owner.client or "a window"
    local since = words.span(words.now() - status.owner.since)
    local here = session.opened() and session.opened().instanceID == status.owner.instanceID
    health.ok(("the bell is rung by %s, for %s%s"):format(client, since, here and " (this window)" or ""))
  else
    health.info("nobody rings the bell: nothing fires until a window opens the project, or `sexton serve --headless`")
  end
  if #status.reasons == 0 then
    health.ok("all is well")
  end
  for _, reason in ipairs(status.reasons) do
    health.warn(reason)
  end
end

--- Has a conversation of its own, as an observer: so it is seen whether one can be begun, and it changes nothing.
local function check_conversation(health)
  health.start("The conversation")
  local directory, error = project.find(session.options().project)
  if not directory then
    health.error(error)
    return
  end
  local connection, failure = Connection.start(session.options().command, directory, function() end)
  if not connection then
    health.error(failure.message)
    return
  end
  local options = { projectDirectory = directory, role = "observer" }
  local refused, opened = ask(connection, "initialize", {
    processId = vim.fn.getpid(),
    clientInfo = { name = "Neovim health check" },
    initializationOptions = vim.tbl_extend("force", session.options().init_options, options),
  })
  if refused then
    health.error(refused.message, { "What the sidecar itself has said is in " .. compat.log_path() })
    connection:terminate()
    return
  end
  health.ok(("sexton %s answers, protocol %d"):format(opened.serverInfo.version, opened.protocolVersion))
  health.info("project: " .. opened.project.directory)
  health.info("state: " .. opened.stateDirectory)
  for _, warning in ipairs(opened.warnings) do
    health.warn(warning)
  end
  local unknown, status = ask(connection, "scheduler/status", {})
  if unknown then
    health.error(unknown.message)
  else
    check_status(health, status, opened)
  end
  ask(connection, "shutdown", {})
  connection:notify("exit")
  vim.wait(PATIENCE_MS, function()
    return connection.is_gone
  end, 5)
end

local function check_window(health)
  health.start("This window")
  local state = session.state()
  if state == "ready" then
    health.ok("the project is open: " .. session.directory())
  elseif state == "idle" then
    health.info("no sidecar was started yet; `:Sexton` starts one, and the option `autostart` does so by itself")
  else
    health.warn("the sidecar is " .. state, { "`:Sexton restart` starts it anew." })
  end
end

function M.check()
  local health = compat.health()
  check_neovim(health)
  if check_program(health) then
    check_conversation(health)
  end
  check_window(health)
end

return M
