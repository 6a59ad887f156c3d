local t = require("harness")

local function output_of(script, options)
  t.setup(options)
  local window = t.window()
  t.automation(window, "Writes", script)
  vim.cmd("Sexton run Writes")
  vim.cmd("Sexton output Writes")
  t.eventually("its output is shown", function()
    return vim.api.nvim_buf_get_name(0):find("sexton://output/", 1, true)
  end)
  return window
end

--- A script that writes, waits for a file, and goes on.
local function in_parts(first, second)
  local go = vim.fn.getcwd() .. "/go"
  return ("%s; while [ ! -e %s ]; do sleep 0.02; done; %s"):format(first, go, second), go
end

t.test("output is followed while the cursor is at its end", function()
  local script, go = in_parts("echo one", "echo two; echo three")
  output_of(script)
  t.shows("one")
  t.equal(vim.api.nvim_win_get_cursor(0)[1], 2)
  vim.fn.writefile({}, go)
  t.shows("three")
  t.equal(vim.api.nvim_win_get_cursor(0)[1], vim.api.nvim_buf_line_count(0))
  t.eventually("its end is told", function()
    local namespace = vim.api.nvim_get_namespaces().sexton_output
    local marks = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })
    return #marks == 1 and marks[1][4].virt_lines[1][1][1]:find("succeeded", 1, true)
  end)
  t.equal(t.text(), "one\ntwo\nthree")
end)

t.test("a cursor that has left the end stays where it is", function()
  local script, go = in_parts("echo one; echo two", "echo three")
  output_of(script)
  t.shows("two")
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.fn.writefile({}, go)
  t.shows("three")
  t.equal(vim.api.nvim_win_get_cursor(0)[1], 1)
end)

t.test("only the last lines are kept", function()
  output_of("seq 1 5000", { output_lines = 100 })
  t.shows("5000")
  t.eventually("the rest is gone", function()
    return vim.api.nvim_buf_line_count(0) <= 100
  end)
  t.equal(t.text():find("4000", 1, true), nil)
end)

t.test("what steers a terminal is not shown, and bytes that are no text do no harm", function()
  output_of([[printf '\033[31mred\033[0m\n10%%\r20%%\r30%%\n\377\376bytes\0\n'; echo end]])
  t.shows("end")
  local lines = vim.api.nvim_buf_get_lines(0, 0, 2, false)
  t.equal(lines, { "red", "30%" })
  t.matches(t.text(), "\255\254bytes")
end)

t.test("lines that never end go on in the next one", function()
  output_of("head -c 20000 /dev/zero | tr '\\0' x; echo; echo end")
  t.shows("end")
  local written = 0
  for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -2, false)) do
    assert(#line <= 4096, #line)
    written = written + #line
  end
  t.eventually("all of it is there", function()
    return #t.text():gsub("[^x]", "") == 20000
  end)
end)

t.test("a buffer that is wiped out ends the subscription", function()
  local script, go = in_parts("echo one", "echo two")
  output_of(script)
  t.shows("one")
  local closed = 0
  local connection = require("sexton.connection")
  local unsubscribe = connection.unsubscribe
  connection.unsubscribe = function(self, method, subscription)
    closed = closed + (method == "output/unsubscribe" and 1 or 0)
    return unsubscribe(self, method, subscription)
  end
  vim.cmd("bwipeout!")
  connection.unsubscribe = unsubscribe
  t.equal(closed, 1)
  vim.fn.writefile({}, go)
end)
