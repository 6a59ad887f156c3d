local t = require("harness")

--- A Neovim that a test speaks to, in which the automation is at work that was made.
local function neovim_at_work(options, script)
  local window = t.window()
  t.automation(window, "Long", script)
  local setup = ("require('sexton').setup(vim.tbl_extend('error', { command = { %q, '--stdio' } }, %s))"):format(
    t.sexton,
    options
  )
  vim.fn.writefile({ setup, "vim.cmd('Sexton run Long')" }, "init.lua")
  local command = { "nvim", "--embed", "--headless", "-i", "NONE", "-n", "--cmd", "set runtimepath^=" .. t.plugin }
  vim.list_extend(command, { "-u", vim.fn.getcwd() .. "/init.lua" })
  local neovim = {}
  neovim.job = vim.fn.jobstart(command, {
    rpc = true,
    on_exit = function(_, code)
      neovim.exited = code
    end,
  })
  neovim.pid = t.eventually("it is at work", function()
    local lines = t.lines_of("pid")
    return lines and lines[1]
  end)
  return neovim, window
end

local function has_ended(neovim)
  return function()
    return neovim.exited ~= nil
  end
end

local function run_of(window)
  return t.ask(window, "run/list").items[1]
end

--- What the work itself says comes before what the ledger says of it.
local function running(window)
  return t.eventually("it is known to run", function()
    local run = run_of(window)
    return run.state == "running" and run
  end)
end

--- The process of the sidecar in which the automation is at work.
local function sidecar_at_work(window)
  local instance = running(window).instanceID
  local sidecars = vim.tbl_filter(function(there)
    return there.id == instance
  end, t.ask(window, "scheduler/status").instances)
  t.equal(#sidecars, 1)
  return sidecars[1].pid
end

t.test("quitting stops what is at work, and leaves no process", function()
  local neovim, window = neovim_at_work("{}", "echo $$ > new; mv new pid; exec sleep 1000")
  local sidecar = sidecar_at_work(window)
  vim.rpcnotify(neovim.job, "nvim_command", "qall!")
  t.eventually("Neovim ends", has_ended(neovim))
  -- It has waited until its sidecar was gone, and that has ended everything.
  t.equal(t.is_alive(sidecar), false)
  t.equal(t.is_alive(neovim.pid), false)
  t.equal(run_of(window).stopReason, "shutdown")
end)

t.test("quitting ends a sidecar that is stopped as well", function()
  local neovim, window = neovim_at_work("{}", "echo $$ > new; mv new pid; exec sleep 1000")
  local sidecar = sidecar_at_work(window)
  vim.loop.kill(sidecar, "sigstop")
  vim.rpcnotify(neovim.job, "nvim_command", "qall!")
  t.eventually("Neovim ends", has_ended(neovim))
  t.equal(t.is_alive(sidecar), false)
  t.eventually("the work has gone", function()
    return not t.is_alive(neovim.pid)
  end)
end)

t.test("a Neovim that is told to wait ends when its runs have ended", function()
  local script = "echo $$ > new; mv new pid; while [ ! -e go ]; do sleep 0.02; done"
  local neovim, window = neovim_at_work("{ on_exit = 'wait' }", script)
  vim.rpcnotify(neovim.job, "nvim_command", "qall!")
  -- From its acceptance on, nothing is given to a window that is being closed.
  t.eventually("the close waits", function()
    local closing = vim.fn.rpcrequest(neovim.job, "nvim_get_vvar", "exiting") ~= vim.NIL
    return closing and running(window)
  end)
  vim.fn.writefile({}, "go")
  t.eventually("Neovim ends", has_ended(neovim))
  t.equal(run_of(window).state, "succeeded")
end)

t.test("a Neovim that is killed takes its runs along", function()
  local neovim, window = neovim_at_work("{}", "echo $$ > new; mv new pid; exec sleep 1000")
  vim.loop.kill(vim.fn.jobpid(neovim.job), "sigkill")
  t.eventually("Neovim ends", has_ended(neovim))
  t.eventually("the work has gone", function()
    return not t.is_alive(neovim.pid)
  end)
  t.eventually("its end is recorded", function()
    return run_of(window).state == "stopped"
  end)
end)
