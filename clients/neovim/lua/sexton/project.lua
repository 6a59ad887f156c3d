--- Which project this window has open.

local compat = require("sexton.compat")

local M = {}

--- The directory above which is the repository, or the directory itself where there is none.
local function repository_of(directory)
  local candidate = directory
  while true do
    if compat.uv.fs_stat(candidate .. "/.git") then
      return candidate
    end
    local parent = vim.fn.fnamemodify(candidate, ":h")
    if parent == candidate then
      return directory
    end
    candidate = parent
  end
end

--- The project's directory: what the option says, else the repository of the working directory, else that directory.
---
---@return string|nil directory
---@return string|nil error what is wrong with the option
function M.find(option)
  local named = option
  if type(option) == "function" then
    local is_found, found = pcall(option)
    if not is_found then
      return nil, ("the option `project` failed: %s"):format(found)
    end
    if found ~= nil and type(found) ~= "string" then
      return nil, "the option `project` must give a directory, or nil"
    end
    named = found
  end
  if named == nil then
    return repository_of(vim.fn.getcwd())
  end
  local directory = vim.fn.fnamemodify(vim.fn.expand(named), ":p"):gsub("(.)/$", "%1")
  if vim.fn.isdirectory(directory) == 0 then
    return nil, ("the project %s is not a directory"):format(directory)
  end
  return directory
end

return M
