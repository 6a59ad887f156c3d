-- A conversation by Neovim's own language client (`vim.lsp`), in both of its forms.
--
--   SEXTON_BIN=target/debug/sexton CLIENT=start_client PROJECT=. nvim --headless -u NONE -i NONE -n -S tests/real_clients/neovim.lua
--
-- CLIENT is `start_client`, the language client that opens and ends the conversation by itself, or `rpc`, the
-- library below it. It says what it saw, one JSON value per line; main.rs reads that.

local sexton = vim.env.SEXTON_BIN or "sexton"
local project = vim.env.PROJECT

local function saw(what)
  io.stdout:write(vim.json.encode(what), "\n")
end

local function wait(what, ready)
  if not vim.wait(20000, ready, 5) then
    error(what .. ": not in time")
  end
end

local events, chunks, exit_code = {}, {}, nil

local heard = {
  ["events/event"] = function(_, params)
    table.insert(events, params.result)
  end,
  ["output/chunk"] = function(_, params)
    table.insert(chunks, params.result)
  end,
}

-- Sends a request and waits for its answer: the result, or nil and the error.
local function ask_by(request)
  return function(method, params)
    local answered, failure, answer
    request(method, params, function(err, result)
      answered, failure, answer = true, err, result
    end)
    wait(method, function()
      return answered
    end)
    return answer, failure
  end
end

local open = {}

function open.start_client()
  local opened
  local id = vim.lsp.start_client({
    name = "sexton",
    cmd = { sexton, "--stdio" },
    root_dir = project,
    handlers = heard,
    on_init = function(_, result)
      opened = result
    end,
    on_exit = function(code)
      exit_code = code
    end,
  })
  wait("initialize", function()
    return opened
  end)
  local client = vim.lsp.get_client_by_id(id)
  -- A language client tells of its settings at first.
  client.notify("workspace/didChangeConfiguration", { settings = vim.empty_dict() })
  return opened, ask_by(client.request), client.stop
end

function open.rpc()
  local connection = vim.lsp.rpc.start(sexton, { "--stdio" }, {
    notification = function(method, params)
      heard[method](nil, params)
    end,
    on_exit = function(code)
      exit_code = code
    end,
  }, { cwd = project })
  local ask = ask_by(connection.request)
  local opened = ask("initialize", { processId = vim.loop.getpid(), clientInfo = { name = "Neovim" } })
  connection.notify("initialized", vim.empty_dict())
  return opened, ask, function()
    ask("shutdown")
    connection.notify("exit")
  end
end

local function find(list, wanted)
  for _, one in ipairs(list) do
    if wanted(one) then
      return one
    end
  end
end

local function became(id, wanted)
  return function()
    return find(events, function(event)
      return event.run and event.run.id == id and wanted(event.run)
    end)
  end
end

local function has_ended(run)
  return run.completedAt ~= nil
end

local function has_begun(run)
  return run.state == "running"
end

local function converse()
  local opened, ask, leave = open[vim.env.CLIENT]()
  saw({ step = "opened", server = opened.serverInfo.name, protocol = opened.protocolVersion })

  -- Subscribed before anything is asked for, so nothing of it is missed.
  ask("events/subscribe", {})
  saw({ step = "subscribed" })

  local hello = ask("automation/create", {
    title = "Läuten 🔔",
    kind = "recurring",
    rhythm = { kind = "interval", everyMs = 24 * 60 * 60 * 1000 },
    task = { kind = "command", program = "echo", args = { "hello" } },
  })
  saw({ step = "created", title = hello.title })

  local run = ask("automation/run", { id = hello.id })
  wait("the end of the run", became(run.id, has_ended))
  local states = {}
  for _, event in ipairs(events) do
    if event.run and event.run.id == run.id then
      table.insert(states, event.run.state)
    end
  end
  saw({ step = "ran", states = states })

  ask("output/subscribe", { runID = run.id })
  wait("the end of the output", function()
    return find(chunks, function(chunk)
      return chunk["end"]
    end)
  end)
  local output = ""
  for _, chunk in ipairs(chunks) do
    output = output .. chunk.data
  end
  saw({ step = "read", output = output })

  local long = ask("automation/create", {
    title = "Without an end",
    kind = "recurring",
    rhythm = { kind = "interval", everyMs = 24 * 60 * 60 * 1000 },
    task = { kind = "command", program = "tail", args = { "-f", "/dev/null" } },
  })
  local endless = ask("automation/run", { id = long.id })
  wait("the beginning of the run", became(endless.id, has_begun))
  local asked = ask("run/cancel", { id = endless.id })
  local stopped
  wait("the end of the run", function()
    stopped = became(endless.id, has_ended)()
    return stopped
  end)
  saw({
    step = "cancelled",
    stopping = asked.stopping.as,
    state = stopped.run.state,
    reason = stopped.run.stopReason,
  })

  -- A refusal is the error that the handler is given, and says in `data.kind` what kind it is.
  local _, refusal = ask("automation/create", { title = "", kind = "oneshot" })
  saw({
    step = "refused",
    code = refusal.code,
    kind = refusal.data.kind,
    field = refusal.data.details[1].field,
  })

  leave()
  wait("the end of the sidecar", function()
    return exit_code
  end)
  saw({ step = "ended", code = exit_code })
end

local fine, failure = xpcall(converse, debug.traceback)
if not fine then
  io.stderr:write(failure, "\n")
end
vim.cmd(fine and "qall!" or "cquit 1")
