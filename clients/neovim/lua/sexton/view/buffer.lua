--- Buffers that show something and are not edited.

local session = require("sexton.session")

local M = {}

local namespace = vim.api.nvim_create_namespace("sexton")

--- How things look; a colour scheme or the user may say otherwise.
local HIGHLIGHTS = {
  SextonTitle = "Title",
  SextonFaint = "Comment",
  SextonGood = "String",
  SextonWarn = "WarningMsg",
  SextonBad = "ErrorMsg",
  SextonActive = "Function",
  SextonKey = "Special",
}

function M.define_highlights()
  for group, link in pairs(HIGHLIGHTS) do
    vim.cmd(("highlight default link %s %s"):format(group, link))
  end
end

--- The buffer of this name, if there is one.
function M.named(name)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.b[buffer].sexton_view == name then
      return buffer
    end
  end
  return nil
end

local function make(view, name)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, name)
  vim.b[buffer].sexton_view = view
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].undolevels = -1
  return buffer
end

--- Finds the window for a view: that of another view, which is come back to when this one is closed, or a new one.
local function find_window()
  if vim.b.sexton_view then
    local back = vim.w.sexton_back or {}
    table.insert(back, vim.api.nvim_get_current_buf())
    vim.w.sexton_back = back
  else
    vim.cmd(session.options().window)
    vim.w.sexton_back = {}
  end
end

--- Shows a view: in the window that shows it already, if one does.
---
---@param view string what it shows; there is one buffer for that
---@param title string|nil what it is called beside
---@param made fun(buffer: number) called if there was no buffer for it
---@return number buffer
function M.show(view, title, made)
  local buffer = M.named(view)
  local window = buffer and vim.fn.win_findbuf(buffer)[1]
  if window then
    vim.api.nvim_set_current_win(window)
    return buffer
  end
  find_window()
  local is_new = buffer == nil
  buffer = buffer or make(view, title and ("%s/%s"):format(view, (title:gsub("/", "-"))) or view)
  vim.api.nvim_win_set_buf(0, buffer)
  vim.cmd("setlocal nowrap nonumber norelativenumber nospell nolist foldcolumn=0 signcolumn=no colorcolumn=")
  if is_new then
    vim.bo[buffer].filetype = "sexton"
    made(buffer)
  end
  return buffer
end

--- Maps a key of the options in a buffer, if it has one.
function M.key(buffer, name, action)
  local key = session.options().keys[name]
  if key then
    vim.keymap.set("n", key, action, { buffer = buffer, nowait = true, silent = true, desc = "sexton: " .. name })
  end
end

--- The keys of a buffer in a line, for the names that are given as `{name, word}`.
function M.keys_line(named)
  local line, marks = " ", {}
  for _, entry in ipairs(named) do
    local key = session.options().keys[entry[1]]
    if key then
      line = line .. (#marks > 0 and "  " or "")
      table.insert(marks, { "SextonKey", #line, #line + #key })
      line = line .. key .. " " .. entry[2]
    end
  end
  return { line, marks }
end

--- Writes lines into a buffer, each `{text, marks}` with marks as `{group, from, to}` in bytes.
function M.write(buffer, lines)
  local texts = vim.tbl_map(function(line)
    return line[1]
  end, lines)
  if not vim.deep_equal(texts, vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) then
    vim.bo[buffer].modifiable = true
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, texts)
    vim.bo[buffer].modifiable = false
  end
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for number, line in ipairs(lines) do
    for _, mark in ipairs(line[2] or {}) do
      local options = { end_col = mark[3], hl_group = mark[1] }
      vim.api.nvim_buf_set_extmark(buffer, namespace, number - 1, mark[2], options)
    end
  end
end

--- The width of the narrowest window that shows the buffer; of the whole screen if none does.
function M.width(buffer)
  local width
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    width = math.min(width or math.huge, vim.api.nvim_win_get_width(window))
  end
  return width or vim.o.columns
end

--- Goes back to the view that this one was opened from; else closes the window, or leaves it empty where it is the last.
function M.close()
  local back = vim.w.sexton_back or {}
  while #back > 0 do
    local buffer = table.remove(back)
    vim.w.sexton_back = back
    if vim.api.nvim_buf_is_valid(buffer) then
      vim.api.nvim_win_set_buf(0, buffer)
      return
    end
  end
  if #vim.api.nvim_tabpage_list_wins(0) > 1 or #vim.api.nvim_list_tabpages() > 1 then
    vim.api.nvim_win_close(0, true)
  else
    vim.cmd("enew")
  end
end

return M
