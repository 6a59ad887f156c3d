--- Aligned columns that know how wide a window is, and how wide what stands in them.

local text = require("sexton.text")

local M = {}

local GAP = 2

--- How many windows, each narrower than the one before, a column may name its least width for.
local MOST_STEPS = 3

--- How wide the columns are: those that may be cut give way from the widest on, each down to its least. Only when all
--- of them have done so they go on to what is the least in a narrower window.
local function widths_of(columns, rows, room)
  local widths = {}
  for place, column in ipairs(columns) do
    widths[place] = vim.fn.strdisplaywidth(column.heading)
    for _, row in ipairs(rows) do
      widths[place] = math.max(widths[place], vim.fn.strdisplaywidth(row[place][1]))
    end
  end
  local function excess()
    local all = -GAP - room
    for _, width in ipairs(widths) do
      all = all + (width > 0 and width + GAP or 0)
    end
    return all
  end
  for step = 1, MOST_STEPS do
    for _ = 1, excess() do
      local widest
      for place, column in ipairs(columns) do
        local least = column.least and (column.least[step] or column.least[#column.least])
        if least and widths[place] > least and (widest == nil or widths[place] > widths[widest]) then
          widest = place
        end
      end
      if widest == nil then
        break
      end
      widths[widest] = widths[widest] - 1
    end
  end
  return widths
end

--- One line of it, and the highlights in it as `{group, from, to}` in bytes.
local function line_of(cells, widths, indent)
  local line, marks, owed = (" "):rep(indent), {}, 0
  for place, cell in ipairs(cells) do
    if widths[place] > 0 then
      local shown = text.cut(cell[1], widths[place])
      if shown ~= "" then
        line = line .. (" "):rep(owed)
        if cell[2] then
          table.insert(marks, { cell[2], #line, #line + #shown })
        end
        line = line .. shown
        owed = 0
      end
      owed = owed + widths[place] - vim.fn.strdisplaywidth(shown) + GAP
    end
  end
  return line, marks
end

--- The lines of a table: the headings, and a line for each row.
---
---@param columns table[] `{heading, least}`: a column with `least` may be cut to the first of these widths, and in windows
---that are narrower to the next ones
---@param rows table[] rows of cells, each `{text, highlight}`
---@param room number how wide the table may be
---@param indent number blanks before each line
---@return table[] lines each `{text, marks}`, the headings first
function M.lines(columns, rows, room, indent)
  local widths = widths_of(columns, rows, room - indent)
  local headings = vim.tbl_map(function(column)
    return { column.heading, "SextonFaint" }
  end, columns)
  local lines = {}
  for _, cells in ipairs(vim.list_extend({ headings }, rows)) do
    table.insert(lines, { line_of(cells, widths, indent) })
  end
  return lines
end

return M
