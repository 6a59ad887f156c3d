local t = require("harness")

local session = require("sexton.session")

--- The process of the sidecar of this Neovim.
local function pid_of(window)
  local status = t.ask(window, "scheduler/status")
  local opened = session.opened()
  for _, instance in ipairs(status.instances) do
    if opened and instance.id == opened.instanceID then
      return instance.pid
    end
  end
end

local function ready()
  t.eventually("the sidecar is ready", function()
    return session.state() == "ready" and session.store().is_loaded
  end)
end

t.test("a sidecar that is killed is followed by another one, and no event is missed", function()
  t.setup({ autostart = true })
  ready()
  local seqs, states = {}, {}
  local stop_seqs = require("sexton").on("event", function(event)
    table.insert(seqs, event.seq)
  end)
  local stop_states = require("sexton").on("state", function(state)
    table.insert(states, state)
  end)
  local window = t.window()
  local first = t.automation(window, "Before", "true")
  t.eventually("the first is known", function()
    return session.store():automation(first.id)
  end)
  local pid = pid_of(window)
  vim.loop.kill(pid, "sigkill")
  -- What happens meanwhile is told by the next one.
  t.ask(window, "automation/run", { id = first.id })
  local second = t.automation(window, "Meanwhile", "true")
  t.eventually("the second is known", function()
    return session.store():automation(second.id)
  end)
  t.eventually("the run has ended", function()
    local last = session.store():last_run(session.store():automation(first.id))
    return last and last.completedAt
  end)
  ready()
  stop_seqs()
  stop_states()
  assert(pid_of(window) ~= pid, "the same process")
  t.equal({ states[1], states[#states] }, { "lost", "ready" })
  for place = 2, #seqs do
    t.equal(seqs[place], seqs[place - 1] + 1)
  end
end)

t.test("later versions of Neovim are given the command in one piece", function()
  local start = vim.lsp.rpc.start
  local commands = {}
  vim.lsp.rpc.start = function(command, dispatchers, spawn)
    table.insert(commands, command)
    local client = start(command[1], vim.list_slice(command, 2), dispatchers, spawn)
    local function terminate()
      client.handle:kill(15)
    end
    return { request = client.request, notify = client.notify, terminate = terminate }
  end
  t.setup({ autostart = true })
  local is_ready, error = pcall(ready)
  vim.lsp.rpc.start = start
  assert(is_ready, error)
  t.equal(commands, { { t.sexton, "--stdio" } })
end)

t.test("what is asked while there is no sidecar is answered by the next one", function()
  t.setup({ autostart = true })
  ready()
  local window = t.window()
  vim.loop.kill(pid_of(window), "sigkill")
  t.eventually("it is lost", function()
    return session.state() ~= "ready"
  end)
  local answer
  require("sexton").request("scheduler/status", nil, function(failure, status)
    answer = { failure, status }
  end)
  t.eventually("it is answered", function()
    return answer
  end)
  t.equal(answer[1], nil)
  t.equal(answer[2].health, "ok")
end)

t.test("output goes on where it was", function()
  t.setup({ autostart = true })
  ready()
  local window = t.window("participant")
  local go = vim.fn.getcwd() .. "/go"
  local script = ("echo one; while [ ! -e %s ]; do sleep 0.02; done; echo two"):format(go)
  local automation = t.automation(window, "Writes", script)
  t.ask(window, "automation/run", { id = automation.id })
  vim.cmd("Sexton output Writes")
  t.shows("one")
  vim.loop.kill(pid_of(window), "sigkill")
  vim.fn.writefile({}, go)
  t.shows("two")
  t.equal(t.text():gsub("\n$", ""), "one\ntwo")
end)

t.test("another ledger is read anew", function()
  local flag = vim.fn.getcwd() .. "/flag"
  local state = vim.fn.getcwd() .. "/state"
  local script = ('if [ -e %s ]; then rm -rf %s %s; fi; exec "$0" --stdio'):format(flag, flag, state)
  local told = {}
  local stop = require("sexton").on("resync", function()
    table.insert(told, true)
  end)
  t.setup({
    autostart = true,
    command = { "sh", "-c", script, t.sexton },
    init_options = { stateDirectory = state },
  })
  ready()
  local automation
  require("sexton").request("automation/create", {
    title = "Of the first ledger",
    kind = "oneshot",
    fireAt = (os.time() + 10000) * 1000,
    task = { kind = "notify", text = "look" },
  }, function(failure, created)
    assert(not failure, failure and failure.message)
    automation = created
  end)
  t.eventually("it is known", function()
    return automation and session.store():automation(automation.id)
  end)
  local status
  require("sexton").request("scheduler/status", nil, function(_, result)
    status = result
  end)
  t.eventually("the process is known", function()
    return status
  end)
  vim.fn.writefile({}, flag)
  vim.loop.kill(status.owner.pid, "sigkill")
  t.eventually("the other ledger is read", function()
    return #told == 1 and session.store().loading == nil and not session.store():automation(automation.id)
  end)
  stop()
end)

t.test("a program that is not there is told once, and `:Sexton restart` tries again", function()
  local told = t.notifications()
  t.setup({ command = { "/nowhere/sexton", "--stdio" } })
  vim.cmd("Sexton")
  t.equal(session.state(), "failed")
  t.equal(#told, 1)
  t.matches(told[1].text, "/nowhere/sexton")
  t.matches(told[1].text, "option `command`")
  local failure
  require("sexton").request("automation/list", nil, function(refused)
    failure = refused
  end)
  t.eventually("it is refused", function()
    return failure
  end)
  t.equal(failure.kind, "sidecar_unavailable")
  t.setup()
  vim.cmd("Sexton restart")
  ready()
end)

t.test("a sidecar that goes again and again is given up", function()
  local told = t.notifications()
  t.setup({ command = { "false" }, autostart = true })
  t.eventually("it is given up", function()
    return session.state() == "failed"
  end)
  t.matches(told[1].text, "too often")
end)

t.test("a command says what is wrong with a sidecar that failed, and tries once more", function()
  local told = t.notifications()
  local program = vim.fn.getcwd() .. "/installed later"
  t.setup({ command = { program, "--stdio" } })
  vim.cmd("Sexton run Tests")
  t.equal(#told, 1)
  vim.cmd("Sexton pause Tests")
  t.equal(#told, 2)
  t.matches(told[2].text, "was not found")
  t.matches(told[2].text, ":Sexton restart")
  vim.fn.writefile({ "#!/bin/sh", ("exec '%s' \"$@\""):format(t.sexton) }, program)
  vim.fn.setfperm(program, "rwxr-xr-x")
  vim.cmd("Sexton run Tests")
  t.equal(session.state(), "ready")
  t.equal(#told, 3)
  t.matches(told[3].text, "this project has none")
end)

t.test("a command tries a sidecar that went too often once, and one that takes no options not at all", function()
  local told = t.notifications()
  t.setup({ command = { "sh", "-c", "echo >> attempts; exit 1" } })
  session.start()
  t.eventually("it is given up", function()
    return session.state() == "failed"
  end)
  local attempts = #t.lines_of("attempts")
  vim.cmd("Sexton run Tests")
  t.equal(#t.lines_of("attempts"), attempts + 1)
  t.equal(#told, 2)
  t.matches(told[2].text, "too often")
  session.stop("force")
  t.setup({ init_options = { role = "conductor" } })
  for place = 3, 4 do
    vim.cmd("Sexton run Tests")
    t.equal(#told, place)
    t.matches(told[place].text, "role")
  end
end)

t.test("what the sidecar refuses is given to who has asked", function()
  t.setup()
  local failure
  require("sexton").request("automation/get", { id = "atm_none" }, function(refused)
    failure = refused
  end)
  t.eventually("it is refused", function()
    return failure
  end)
  t.equal(failure.kind, "not_found")
  t.equal(failure.data.id, "atm_none")
end)
