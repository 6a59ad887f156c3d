--- Automations in Neovim. What users and other plugins call is here; `:help sexton` tells what is promised of it.

local attach = require("sexton.attach")
local session = require("sexton.session")
local text = require("sexton.text")
local words = require("sexton.words")

local M = {}

--- Takes over options; without it, everything is as by default. Throws if an option does not exist or is not as it must
--- be, naming it.
function M.setup(options)
  session.configure(options)
  attach()
  require("sexton.command").define()
  if not session.options().autostart then
    return
  end
  if vim.v.vim_did_enter == 1 then
    return session.start()
  end
  vim.api.nvim_create_autocmd("VimEnter", { once = true, callback = session.start })
end

--- Asks the sidecar something, and starts it if that has to be. `callback(failure, result)` is called exactly once, never
--- before this returns. `failure.kind` is for programs, `failure.message` for people.
function M.request(method, params, callback)
  attach()
  session.request(method, params or {}, callback)
end

--- Calls `listener` with each event of a kind of the protocol, such as `run.updated`; `event` and `important` are all of
--- them and those that a person should know of, `change` says that a status line may be out of date, and `state` is told
--- how the sidecar is. Gives a function that ends that.
function M.on(kind, listener)
  attach()
  return session.on(kind, listener)
end

--- Shows the list of automations.
function M.open()
  attach()
  require("sexton.view.list").show()
end

local function in_short(status)
  if status.state == "idle" then
    return ""
  elseif status.state ~= "ready" then
    return "sexton " .. status.state
  end
  local parts = {}
  if status.asking > 0 then
    table.insert(parts, ("?%d"):format(status.asking))
  end
  if status.running > 0 then
    table.insert(parts, ("*%d"):format(status.running))
  end
  if status.next_at then
    table.insert(parts, words.clock(status.next_at, words.now()))
  end
  return table.concat(parts, " ")
end

--- How the project stands, for a status line: quick, starts nothing, and never fails.
---
---@return table status `state`; `project`; `owner`, whether this window rings the bell; `running` and `asking`, counts;
---`next_at` in milliseconds since 1970 and `next_title`, what is due next; `text`, all of that in a few characters
function M.status()
  local store = session.store()
  local status = {
    state = session.state(),
    project = session.directory(),
    owner = session.is_owner(),
    running = 0,
    asking = store and #store:asking() or 0,
  }
  for _, run in ipairs(store and store:active_runs() or {}) do
    if run.state == "running" then
      status.running = status.running + 1
    end
  end
  for _, automation in ipairs(store and store:automations() or {}) do
    local at = automation.state and automation.state.nextFireAt
    if at and (status.next_at == nil or at < status.next_at) then
      status.next_at, status.next_title = at, text.one_line(automation.title, 160)
    end
  end
  status.text = in_short(status)
  return status
end

return M
