--- Texts of others, made fit to be shown.

local M = {}

--- The marks that turn the direction of writing until they are taken back, and with it what follows.
local TURNS = {
  "\216\156",
  "\226\128[\142\143\170-\174]",
  "\226\129[\166-\169]",
}

--- The text in one line of at most `most` characters: blanks, line ends and control characters become one blank.
function M.one_line(text, most)
  local line = text:gsub("\194[\128-\159]", " "):gsub("\226\128[\168\169]", " ")
  for _, mark in ipairs(TURNS) do
    line = line:gsub(mark, "")
  end
  line = vim.trim((line:gsub("[%c%s]+", " ")))
  if vim.fn.strchars(line) > most then
    line = vim.fn.strcharpart(line, 0, most - 1) .. "…"
  end
  return line
end

--- The title in quotation marks, as the sidecar writes it.
function M.quoted(title)
  return ("“%s”"):format(M.one_line(title, 160))
end

--- As much of the text as fits into so many columns, with an ellipsis where something is missing.
function M.cut(text, columns)
  if vim.fn.strdisplaywidth(text) <= columns then
    return text
  end
  local low, high = 0, vim.fn.strchars(text)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if vim.fn.strdisplaywidth(vim.fn.strcharpart(text, 0, middle)) < columns then
      low = middle
    else
      high = middle - 1
    end
  end
  return columns > 0 and vim.fn.strcharpart(text, 0, low) .. "…" or ""
end

return M
