--- What differs between versions of Neovim, from 0.7.2 on. Everything else is written for all of them.

local M = {}

--- The oldest version that the plugin is written for.
M.OLDEST = "0.7.2"

M.uv = vim.uv or vim.loop

M.is_list = vim.islist or vim.tbl_islist

--- What tells that a window has another width; up to 0.8.1 only the whole screen does.
M.RESIZED = vim.fn.exists("##WinResized") == 1 and { "VimResized", "WinResized" } or { "VimResized" }

--- The calls of a health check, which had other names up to 0.9.
function M.health()
  local health = vim.health or require("health")
  return {
    start = health.start or health.report_start,
    ok = health.ok or health.report_ok,
    info = health.info or health.report_info,
    warn = health.warn or health.report_warn,
    error = health.error or health.report_error,
  }
end

--- Whether `vim.lsp.rpc.start` takes the program apart from its arguments, as it did at first. Its parameters are
--- counted, because that says more than a version does.
local function takes_program_apart()
  local count = debug.getinfo(vim.lsp.rpc.start, "u").nparams
  if count == nil then
    return vim.fn.has("nvim-0.10") == 0
  end
  return count == 4
end

local function children()
  return vim.api.nvim_get_proc_children(vim.fn.getpid())
end

--- The process that was started since these were all: Neovim keeps it to itself from 0.8 on.
local function new_child(before)
  for _, pid in ipairs(children()) do
    if not vim.tbl_contains(before, pid) then
      return pid
    end
  end
  return nil
end

--- Starts a process and speaks to it with the headers of language servers.
---
---@param command string[] the program and its arguments
---@param dispatchers table what is called: `notification`, `on_error`, `on_exit`
---@param directory string where the process works
---@return table|nil client with `request`, `notify`, `terminate` and `kill`; nil if the process cannot be started
---@return string|nil error why not
function M.start_rpc(command, dispatchers, directory)
  local arguments = takes_program_apart() and { command[1], vim.list_slice(command, 2) } or { command }
  vim.list_extend(arguments, { dispatchers, { cwd = directory } })
  local before = children()
  local is_started, client = pcall(vim.lsp.rpc.start, unpack(arguments))
  if not is_started then
    return nil, tostring(client)
  end
  if client == nil then
    return nil, ("`%s` could not be started"):format(command[1])
  end
  local pid = client.pid or new_child(before)
  return {
    request = client.request,
    notify = client.notify,
    terminate = function()
      if client.terminate then
        client.terminate()
      elseif not client.handle:is_closing() then
        client.handle:kill(15)
      end
    end,
    kill = function()
      if pid then
        M.uv.kill(pid, "sigkill")
      end
    end,
  }
end

--- Where Neovim writes what the sidecar has said on its standard error.
function M.log_path()
  return vim.lsp.get_log_path and vim.lsp.get_log_path() or vim.lsp.log.get_filename()
end

return M
