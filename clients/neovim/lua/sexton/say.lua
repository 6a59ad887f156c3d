--- Messages, in whatever way the user has for them.

local text = require("sexton.text")

local M = {}

--- Says what somebody wants to know who has just done something, or what keeps the plugin from working.
function M.reply(message, level)
  vim.notify("sexton: " .. message, level or vim.log.levels.INFO)
end

--- Whether messages appear in Neovim's last line, where those that are too long keep everything waiting for a key.
local function is_last_line()
  return debug.getinfo(vim.notify, "S").source:find("@vim/", 1, true) ~= nil
end

--- Says what nobody has asked for: it never keeps anybody waiting.
function M.notice(message, level)
  if is_last_line() then
    message = text.cut(message, vim.v.echospace)
  end
  vim.notify(message, level or vim.log.levels.INFO, { title = "sexton" })
end

return M
