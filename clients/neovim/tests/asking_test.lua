local t = require("harness")

--- A window that carries prompts out, each by asking one thing first.
local function serve(window, blocker)
  local answers = {}
  window:subscribe("provider/serve", { id = "played", models = { { id = "model" } } }, function(work)
    if work.type == "start" then
      local function report(said)
        window:request("run/report", { runID = work.run.id, report = said }, function() end)
      end
      report({ type = "started", sessionID = "session" })
      report({ type = "blocked", blocker = blocker })
    elseif work.type == "answer" then
      table.insert(answers, work.optionID or work.text)
      local finished = { type = "finished", text = "done" }
      window:request("run/report", { runID = work.runID, report = finished }, function() end)
    end
  end, function(failure)
    assert(not failure, failure and failure.message)
  end)
  local task = { kind = "prompt", prompt = "Triage", model = { providerID = "played", modelID = "model" } }
  local automation = t.automation(window, "Triage", "", { task = task })
  t.ask(window, "automation/run", { id = automation.id })
  return answers
end

local PERMISSION = {
  kind = "permission",
  requestID = "request",
  title = "Run make?",
  options = {
    { id = "yes", label = "Allow", kind = "allow_once" },
    { id = "no", label = "Reject", kind = "reject_once" },
  },
}

--- Plays what a user chooses with: keeps what is put, and chooses when told to.
local function played_select()
  local put = {}
  vim.ui.select = function(items, options, choose)
    local labels = vim.tbl_map(options.format_item, items)
    table.insert(put, { prompt = options.prompt, labels = labels, items = items, choose = choose })
  end
  return put
end

t.test("a permission is put with the labels of its options, and the answer arrives", function()
  local put = played_select()
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  local answers = serve(window, PERMISSION)
  local asked = t.eventually("it is put", function()
    return put[1]
  end)
  t.equal(asked.prompt, "“Triage” asks for permission: Run make?")
  t.equal(asked.labels, { "Allow", "Reject" })
  t.shows("asks you: Run make?")
  asked.choose(asked.items[1])
  t.eventually("the answer arrives", function()
    return answers[1] == "yes"
  end)
  t.shows("succeeded")
  t.equal(#put, 1)
end)

t.test("a question without options is answered in words", function()
  local prompt
  vim.ui.input = function(options, confirm)
    prompt = options.prompt
    confirm("the blue one")
  end
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  local answers = serve(window, { kind = "question", callID = "call", prompt = "Which one?" })
  t.eventually("the answer arrives", function()
    return answers[1] == "the blue one"
  end)
  t.equal(prompt, "“Triage” asks: Which one? ")
end)

t.test("a question is offered once, and `:Sexton answer` asks again", function()
  local put = played_select()
  local told = t.notifications()
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  local answers = serve(window, PERMISSION)
  local asked = t.eventually("it is put", function()
    return put[1]
  end)
  asked.choose(nil)
  t.eventually("that is told", function()
    return told[1] and told[1].text:find("goes on waiting", 1, true)
  end)
  -- Changes come, and the question is not put again.
  t.automation(window, "Something else", "true")
  t.shows("Something else")
  t.equal(#put, 1)
  vim.cmd("Sexton answer")
  t.equal(#put, 2)
  put[2].choose(put[2].items[2])
  t.eventually("the answer arrives", function()
    return answers[1] == "no"
  end)
end)

t.test("a prompt that fails is told of, and keeps no other question from being put", function()
  local told = t.notifications()
  vim.ui.select = function()
    error("the picker is broken")
  end
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  local answers = serve(window, PERMISSION)
  t.eventually("that is told", function()
    return told[1] and told[1].text:find("the picker is broken", 1, true)
  end)
  t.matches(told[1].text, "“Triage”")
  local put = played_select()
  local run = t.ask(window, "run/list", { states = { "awaiting_input" } }).items[1]
  vim.cmd("Sexton answer")
  t.equal(#put, 1)
  put[1].choose(put[1].items[1])
  t.eventually("the answer arrives", function()
    return answers[1] == "yes"
  end)
  t.shows("succeeded")
  t.ask(window, "automation/run", { id = run.automationID })
  t.eventually("the next one is put", function()
    return put[2]
  end)
  put[2].choose(put[2].items[1])
  t.eventually("it is answered", function()
    return #answers == 2
  end)
end)

t.test("what somebody else has answered is taken back", function()
  local told = t.notifications()
  local opened
  vim.ui.select = function(_, _, choose)
    local buffer = vim.api.nvim_create_buf(false, true)
    local where = { relative = "editor", row = 1, col = 1, width = 20, height = 2 }
    opened = vim.api.nvim_open_win(buffer, false, where)
    vim.api.nvim_create_autocmd("WinClosed", {
      pattern = tostring(opened),
      once = true,
      callback = function()
        choose(nil)
      end,
    })
  end
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  serve(window, PERMISSION)
  t.eventually("it is put", function()
    return opened
  end)
  local run = t.ask(window, "run/list", { states = { "awaiting_input" } }).items[1]
  t.ask(window, "run/respond", { id = run.id, requestID = "request", optionID = "yes" })
  t.eventually("its window is closed", function()
    return not vim.api.nvim_win_is_valid(opened)
  end)
  t.eventually("that is told", function()
    return told[1] and told[1].text:find("does not wait for this answer any more", 1, true)
  end)
end)

t.test("nobody is asked while typing", function()
  local put = played_select()
  local window = t.window("participant")
  t.setup({ ask = true })
  require("sexton").open()
  local mode = "i"
  local get_mode = vim.api.nvim_get_mode
  vim.api.nvim_get_mode = function()
    return { mode = mode, blocking = false }
  end
  serve(window, PERMISSION)
  t.shows("asks you: Run make?")
  t.equal(#put, 0)
  mode = "n"
  vim.cmd("doautocmd ModeChanged")
  t.eventually("it is put", function()
    return put[1]
  end)
  vim.api.nvim_get_mode = get_mode
end)
