--- Why an automation ran, or did not, and what the ledger tells of that.

local buffers = require("sexton.view.buffer")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

local NAME = "sexton://why"

--- The most characters of a sentence, which may hold what others wrote.
local SENTENCE = 2000

function M.show(automation, explanation)
  local title, summary = text.one_line(automation.title, 160), text.one_line(explanation.summary, SENTENCE)
  local lines = {
    { " " .. title, { { "SextonTitle", 1, 1 + #title } } },
    { "" },
    { " " .. summary },
  }
  if #explanation.evidence > 0 then
    local said = "What the ledger tells, by the clocks here:"
    vim.list_extend(lines, { { "" }, { " " .. said, { { "SextonFaint", 1, 1 + #said } } } })
  end
  for _, piece in ipairs(explanation.evidence) do
    local date = words.date(piece.at)
    local line = (" %-19s  %s"):format(date, text.one_line(piece.text, SENTENCE))
    table.insert(lines, { line, { { "SextonFaint", 1, 1 + #date } } })
  end
  local buffer = buffers.show(NAME, nil, function(made)
    buffers.key(made, "close", buffers.close)
  end)
  vim.cmd("setlocal wrap linebreak")
  buffers.write(buffer, lines)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
end

return M
