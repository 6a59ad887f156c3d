--- Runs the tests of one file, and what they share: a project, other windows of it, and waiting with a deadline.

local Connection = require("sexton.connection")

local M = {}

--- How long anything that is waited for may take. Other programs may keep the machine busy.
local DEADLINE_MS = 20000

local tests = {}

function M.test(name, run)
  table.insert(tests, { name = name, run = run })
end

--- Waits until something is as it should be; gives what the condition gives.
function M.eventually(what, condition)
  local found
  local is_so = vim.wait(DEADLINE_MS, function()
    found = condition()
    return found and true or false
  end, 5)
  if not is_so then
    error("never: " .. what, 2)
  end
  return found
end

function M.equal(found, wanted)
  if not vim.deep_equal(found, wanted) then
    error(("found %s, wanted %s"):format(vim.inspect(found), vim.inspect(wanted)), 2)
  end
end

function M.matches(text, part)
  if not text:find(part, 1, true) then
    error(("%s is not in %s"):format(vim.inspect(part), vim.inspect(text)), 2)
  end
end

M.sexton = vim.env.SEXTON_BIN
M.plugin = vim.env.SEXTON_PLUGIN
M.home = vim.env.HOME

local projects = 0

--- A project of its own for each test.
function M.project()
  projects = projects + 1
  local directory = ("%s/project-%d"):format(M.home, projects)
  vim.fn.mkdir(directory .. "/.git", "p")
  vim.cmd("cd " .. directory)
  return directory
end

--- Sets the plugin up for this project.
function M.setup(options)
  local defaults = { command = { M.sexton, "--stdio" }, ask = false, notify = false }
  require("sexton").setup(vim.tbl_extend("force", defaults, options or {}))
end

--- Asks through a connection, and waits for the answer.
function M.ask(connection, method, params)
  local answer
  connection:request(method, params or {}, function(failure, result)
    answer = { failure, result }
  end)
  M.eventually(method .. " is answered", function()
    return answer
  end)
  if answer[1] then
    error(("%s: %s"):format(method, answer[1].message), 2)
  end
  return answer[2]
end

local windows = {}

--- Another window of the project: a sidecar of its own, spoken with directly.
function M.window(role)
  local window = assert(Connection.start({ M.sexton, "--stdio" }, vim.fn.getcwd(), function() end))
  table.insert(windows, window)
  local options = { projectDirectory = vim.fn.getcwd(), role = role or "observer" }
  M.ask(window, "initialize", { clientInfo = { name = "another window" }, initializationOptions = options })
  return window
end

--- An automation that is due in a year, carried out by the shell.
function M.automation(window, title, script, more)
  local draft = {
    title = title,
    kind = "oneshot",
    fireAt = (os.time() + 365 * 24 * 3600) * 1000,
    task = { kind = "command", program = "sh", args = { "-c", script } },
    access = "read",
  }
  return M.ask(window, "automation/create", vim.tbl_extend("force", draft, more or {}))
end

--- The lines of the current buffer, as one text.
function M.text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

--- Waits until the current buffer has this text.
function M.shows(part)
  local is_shown = vim.wait(DEADLINE_MS, function()
    return M.text():find(part, 1, true) ~= nil
  end, 5)
  if not is_shown then
    error(("never shown: %s; there is\n%s"):format(vim.inspect(part), M.text()), 2)
  end
end

--- Sets the cursor on the line that has this text.
function M.stand_on(part)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    if line:find(part, 1, true) then
      vim.api.nvim_win_set_cursor(0, { number, 0 })
      return
    end
  end
  error(("no line has %s in\n%s"):format(vim.inspect(part), M.text()), 2)
end

--- Types as a user does.
function M.type(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, true, true), "mx", false)
end

--- Notifications instead of being shown.
function M.notifications()
  local told = {}
  vim.notify = function(text, level)
    table.insert(told, { text = text, level = level })
  end
  return told
end

--- The lines of a file, or nil while it is not there.
function M.lines_of(path)
  return vim.fn.filereadable(path) == 1 and vim.fn.readfile(path) or nil
end

--- Whether a process is there.
function M.is_alive(pid)
  local killed = (vim.uv or vim.loop).kill(tonumber(pid), 0)
  return killed == 0
end

local function after_each()
  require("sexton.session").stop("force")
  for _, window in ipairs(windows) do
    window:terminate()
  end
  M.eventually("the other windows are gone", function()
    for _, window in ipairs(windows) do
      if not window.is_gone then
        return false
      end
    end
    return true
  end)
  windows = {}
  vim.cmd("silent! %bwipeout!")
end

package.loaded.harness = M
local notify, select, input = vim.notify, vim.ui.select, vim.ui.input
local failures = 0
local is_read, problem = pcall(dofile, vim.env.TEST_FILE)
if not is_read then
  io.stdout:write(("%s\n"):format(problem))
  vim.cmd("cquit 2")
end
for _, test in ipairs(tests) do
  M.project()
  local is_passed, error = xpcall(test.run, debug.traceback)
  vim.notify, vim.ui.select, vim.ui.input = notify, select, input
  local is_tidy, trouble = pcall(after_each)
  if is_passed and is_tidy then
    io.stdout:write(("ok %s\n"):format(test.name))
  else
    failures = failures + 1
    io.stdout:write(("FAILED %s\n%s\n"):format(test.name, is_passed and trouble or error))
  end
end
if failures > 0 or #tests == 0 then
  vim.cmd("cquit 1")
end
vim.cmd("qall!")
