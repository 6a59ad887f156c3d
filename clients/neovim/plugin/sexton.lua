-- Neovim reads this file at its start: it defines `:Sexton`, and starts nothing.
if vim.g.loaded_sexton == 1 then
  return
end
vim.g.loaded_sexton = 1

require("sexton.command").define()
