--- What a run writes, while it writes it.

local buffers = require("sexton.view.buffer")
local bytes = require("sexton.bytes")
local say = require("sexton.say")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- How much of what was written before is read: about as much as is kept.
local BEFORE = 1024 * 1024

--- The most bytes of one line; what is longer goes on in the next one, because Neovim is slow with long lines.
local LONGEST_LINE = 4096

local namespace = vim.api.nvim_create_namespace("sexton_output")

--- Fits a line of raw output for a buffer. Neovim shows control characters as text, so they are harmless; what steers
--- colours and cursors is left out because it is not meant to be read, and of a line that was written over and over
--- only the last is left.
local function shown(raw)
  local line = raw
  if line:find("[\27\r\8]") then
    line = line:gsub("\27%[[0-?]*[ -/]*[@-~]", "")
    line = line:gsub("\27%][^\7\27]*\7", ""):gsub("\27%][^\7\27]*\27\\", "")
    line = line:gsub("\27[()][%w]", ""):gsub("\27[=>78cDEHMNOZ]", "")
    line = line:gsub("\r+$", ""):gsub("^.*\r", "")
  end
  -- A buffer keeps a line end in a line as a NUL, and the other way round.
  return (line:gsub("\n", " "))
end

--- The windows whose cursor is on the last line: these follow.
local function following(buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last
  end, vim.fn.win_findbuf(buffer))
end

--- Puts what was written behind what is there. The last line is not complete until the next one begins.
local function append(view, data)
  local buffer = view.buffer
  local raw = vim.split(view.rest .. data, "\n", { plain = true })
  local lines = {}
  for place, line in ipairs(raw) do
    while #line > LONGEST_LINE do
      local cut = bytes.border(line, LONGEST_LINE)
      table.insert(lines, shown(line:sub(1, cut)))
      line = line:sub(cut + 1)
    end
    table.insert(lines, shown(line))
    if place == #raw then
      view.rest = line
    end
  end
  local windows = following(buffer)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, -2, -1, false, lines)
  local excess = vim.api.nvim_buf_line_count(buffer) - session.options().output_lines
  if excess > 0 then
    vim.api.nvim_buf_set_lines(buffer, 0, excess, false, {})
  end
  vim.bo[buffer].modifiable = false
  local last = vim.api.nvim_buf_line_count(buffer)
  for _, window in ipairs(windows) do
    vim.api.nvim_win_set_cursor(window, { last, 0 })
  end
end

--- Takes away the line that would have come next.
local function drop_empty_last_line(view)
  local count = vim.api.nvim_buf_line_count(view.buffer)
  if count > 1 and view.rest == "" then
    vim.bo[view.buffer].modifiable = true
    vim.api.nvim_buf_set_lines(view.buffer, -2, -1, false, {})
    vim.bo[view.buffer].modifiable = false
  end
end

--- Says below the output how the run has ended, as what it is: no part of the output.
local function say_end(view)
  session.request("run/get", { id = view.run }, function(_, run)
    if not run or not vim.api.nvim_buf_is_valid(view.buffer) then
      return
    end
    local outcome, group = words.outcome(run)
    local why = words.why(run, words.now())
    local said = ("── %s, %s%s"):format(outcome, words.date(words.outcome_at(run)), why and ": " .. why or "")
    if run.output and run.output.truncated then
      said = said .. "; not all of it was kept"
    end
    drop_empty_last_line(view)
    local last = vim.api.nvim_buf_line_count(view.buffer) - 1
    local below = { virt_lines = { { { said, group } } } }
    vim.api.nvim_buf_set_extmark(view.buffer, namespace, last, 0, below)
  end)
end

local function feed_of(view)
  return {
    opens = "output/subscribe",
    closes = "output/unsubscribe",
    params = function()
      return { runID = view.run, offset = view.offset }
    end,
    heard = function(chunk)
      local data = chunk.encoding == "base64" and bytes.from_base64(chunk.data) or chunk.data
      view.offset = chunk.offset + #data
      if #data > 0 then
        append(view, data)
      end
      if chunk["end"] then
        session.unfollow(view.feed)
        say_end(view)
      end
    end,
    refused = function(failure)
      append(view, failure.message)
    end,
  }
end

local function made(view)
  buffers.key(view.buffer, "close", buffers.close)
  buffers.key(view.buffer, "cancel", function()
    session.request("run/cancel", { id = view.run }, function(failure)
      if failure then
        say.reply(failure.message, vim.log.levels.ERROR)
      end
    end)
  end)
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = view.buffer,
    callback = function()
      session.unfollow(view.feed)
    end,
  })
end

--- Follows the output of a run. It begins with the last part of what there is.
function M.show(run)
  buffers.show("sexton://output/" .. run.id, text.one_line(run.automationTitle, 160), function(buffer)
    local written = run.output and run.output.bytes or 0
    local view = { run = run.id, buffer = buffer, offset = math.max(0, written - BEFORE), rest = "" }
    view.feed = feed_of(view)
    made(view)
    session.follow(view.feed)
  end)
end

return M
