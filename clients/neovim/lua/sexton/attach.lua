--- Ties the plugin to this Neovim: it listens to the sidecar, and ends it before Neovim ends.

local asking = require("sexton.asking")
local buffers = require("sexton.view.buffer")
local notices = require("sexton.notices")
local session = require("sexton.session")

--- A Neovim that is killed waits for nothing.
local function leave()
  local mode = vim.v.dying > 0 and "force" or session.options().on_exit
  session.stop(mode, function()
    vim.api.nvim_echo({ { "sexton waits for what runs in this window; Ctrl-C stops it", "WarningMsg" } }, false, {})
    vim.cmd("redraw")
  end)
end

local is_attached = false

--- Whoever comes first does it: `setup()` need not be called.
return function()
  if is_attached then
    return
  end
  is_attached = true
  buffers.define_highlights()
  asking.begin()
  notices.begin()
  local group = vim.api.nvim_create_augroup("sexton", { clear = true })
  vim.api.nvim_create_autocmd("VimLeavePre", { group = group, callback = leave })
  vim.api.nvim_create_autocmd("ColorScheme", { group = group, callback = buffers.define_highlights })
end
