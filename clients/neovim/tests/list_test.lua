local t = require("harness")

local function open()
  vim.o.columns = 160
  vim.cmd("Sexton")
end

t.test("the list says the same as `sexton list`", function()
  t.setup()
  local window = t.window()
  local rhythms = { "0 9 * * 1-5", "*/7 8-18 * * *", "30 4 1,15 * 5" }
  for place, expression in ipairs(rhythms) do
    t.ask(window, "automation/create", {
      title = "Automation " .. place,
      kind = "recurring",
      rhythm = { kind = "cron", expression = expression },
      task = { kind = "notify", text = "look" },
    })
  end
  open()
  t.shows("Automation 1")
  local listed = vim.fn.system({ t.sexton, "list" })
  local count = 0
  for line in listed:gmatch("[^\n]+") do
    local title, when = line:match("^%S+%s+(Automation %d)%s+(.-)%s%s")
    if title then
      count = count + 1
      t.shows(title .. "  " .. when .. "  ")
    end
  end
  t.equal(count, #rhythms)
end)

t.test("an empty project says how to add an automation", function()
  t.setup()
  open()
  t.shows("sexton add")
end)

t.test("keys run and pause what is under the cursor, and events keep the list fresh", function()
  t.setup()
  local window = t.window()
  t.automation(window, "Tests", "true")
  open()
  t.shows("Tests")
  t.stand_on("Tests")
  t.type("r")
  t.shows("succeeded")
  t.stand_on("Tests")
  t.type("p")
  t.shows("paused, by hand")
  t.type("p")
  t.eventually("it goes on", function()
    return not t.text():find("paused", 1, true)
  end)
  t.automation(window, "Newer", "true")
  t.shows("Newer")
  t.matches(vim.api.nvim_get_current_line(), "Tests")
end)

t.test("what is deleted elsewhere leaves the list", function()
  t.setup()
  local window = t.window()
  local automation = t.automation(window, "Short-lived", "true")
  t.automation(window, "Kept", "true")
  open()
  t.shows("Short-lived")
  t.ask(window, "automation/delete", { id = automation.id })
  t.eventually("it is gone", function()
    return not t.text():find("Short-lived", 1, true) and t.text():find("Kept", 1, true)
  end)
end)

t.test("a run that waits says for what, and can be cancelled", function()
  t.setup()
  local window = t.window()
  t.ask(window, "directory/hold", { title = "an interactive turn" })
  t.automation(window, "Writes", "true", { access = "write" })
  open()
  t.shows("Writes")
  t.stand_on("Writes")
  t.type("r")
  t.shows("waiting: for its directory, behind your own work")
  t.stand_on("Writes")
  t.type("x")
  t.shows("cancelled")
end)

t.test("details show the automation and its runs, and come back to the list", function()
  t.setup()
  local window = t.window()
  t.automation(window, "Fails", "echo before; exit 3")
  open()
  t.shows("Fails")
  t.stand_on("Fails")
  t.type("<CR>")
  t.shows("Command  sh -c echo before; exit 3")
  t.type("r")
  t.shows("the command exited with code 3")
  t.shows("Failed   the last run")
  t.type("q")
  t.shows("failed")
  t.equal(vim.api.nvim_buf_get_name(0), "sexton://automations")
end)

t.test("why is answered with the evidence", function()
  t.setup()
  local window = t.window()
  t.automation(window, "Far away", "true")
  open()
  t.shows("Far away")
  t.stand_on("Far away")
  t.type("w")
  t.shows("“Far away”")
  t.equal(vim.api.nvim_buf_get_name(0), "sexton://why")
end)

t.test("what has no room is cut, and no line is wider than its window", function()
  t.setup()
  local window = t.window()
  t.automation(window, ("An äöü title that goes on "):rep(5), "true")
  vim.o.columns = 80
  vim.cmd("Sexton")
  t.shows("An äöü")
  t.shows("…")
  t.eventually("the words are there", function()
    return t.text():find("Once, on", 1, true)
  end)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    assert(vim.fn.strdisplaywidth(line) <= 80, line)
  end
end)

t.test("in a narrow window the columns give way, and what became of it last can be read", function()
  t.setup()
  local window = t.window()
  local automation = t.automation(window, "A title that is long enough to give way", "true")
  vim.o.columns = 60
  vim.cmd("Sexton")
  t.shows("A title")
  t.ask(window, "automation/run", { id = automation.id })
  t.eventually("the last run can be read", function()
    return t.text():find("  succeeded [^\n]*ago\n?")
  end)
  local function row()
    for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
      if vim.startswith(line, "   A") then
        return line
      end
    end
  end
  assert(vim.fn.strdisplaywidth(row()) <= 60, row())
  vim.o.columns = 40
  vim.cmd("doautocmd VimResized")
  t.eventually("every column gives way", function()
    return vim.fn.strdisplaywidth(row()) <= 40
  end)
end)
