local t = require("harness")

--- The blocks of Lua in README.md.
local function blocks()
  local found, block = {}, nil
  for _, line in ipairs(t.lines_of(t.plugin .. "/README.md")) do
    if line == "```lua" then
      block = {}
    elseif line == "```" and block then
      table.insert(found, block)
      block = nil
    elseif block then
      table.insert(block, line)
    end
  end
  return found
end

--- A home with the plugin and the program where README.md has them.
local function home_of_a_user()
  local user = vim.fn.getcwd() .. "/user"
  vim.fn.mkdir(user .. "/src/sexton/clients", "p")
  vim.fn.mkdir(user .. "/bin", "p")
  assert(vim.loop.fs_symlink(t.plugin, user .. "/src/sexton/clients/neovim"))
  assert(vim.loop.fs_symlink(t.sexton, user .. "/bin/sexton"))
  return user
end

--- A Neovim that is spoken with, which finds the program in its search path.
local function neovim_of(user, arguments)
  local neovim = {}
  local command = vim.list_extend({ "nvim", "--embed", "--headless", "-i", "NONE", "-n" }, arguments)
  neovim.job = vim.fn.jobstart(command, {
    rpc = true,
    env = { HOME = user, PATH = user .. "/bin:" .. vim.env.PATH },
    on_exit = function()
      neovim.has_exited = true
    end,
  })
  function neovim.value(expression)
    return vim.fn.rpcrequest(neovim.job, "nvim_exec_lua", "return " .. expression, {})
  end
  function neovim.command(line)
    vim.fn.rpcrequest(neovim.job, "nvim_command", line)
  end
  function neovim.quit()
    vim.fn.rpcnotify(neovim.job, "nvim_command", "qall!")
    t.eventually("it quits", function()
      return neovim.has_exited
    end)
  end
  return neovim
end

t.test("without `setup` everything is as by default, and quitting leaves no sidecar", function()
  local user = home_of_a_user()
  local neovim = neovim_of(user, { "-u", "NORC", "--cmd", "set runtimepath^=" .. t.plugin })
  neovim.command("Sexton")
  t.eventually("it is ready", function()
    return neovim.value("require('sexton').status().state") == "ready"
  end)
  local status = t.ask(t.window(), "scheduler/status")
  neovim.quit()
  t.equal(t.is_alive(status.owner.pid), false)
end)

t.test("a Neovim with the lines of README.md in its init.lua is one that works", function()
  local found = blocks()
  t.equal(#found, 2)
  local user = home_of_a_user()
  vim.fn.writefile(vim.list_extend(found[1], found[2]), user .. "/init.lua")
  local neovim = neovim_of(user, { "-u", user .. "/init.lua" })
  t.eventually("it opens the project by itself", function()
    return neovim.value("require('sexton').status().state") == "ready"
  end)
  t.equal(neovim.value("require('sexton').status().project"), vim.fn.getcwd())
  neovim.command("RemindMe Stand up")
  t.eventually("the reminder is known", function()
    return neovim.value("require('sexton').status().next_title") == "Stand up"
  end)
  t.equal(neovim.value("vim.fn.maparg('<leader>a', 'n', false, true).desc"), "Automations")
  t.matches(neovim.value("vim.api.nvim_eval_statusline(vim.o.statusline, {}).str"), ":")
  neovim.quit()
end)
