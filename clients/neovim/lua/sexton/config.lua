--- The options of `setup()`: what there is, what they may be, and what they are if nobody says so.

local compat = require("sexton.compat")

local M = {}

--- What can be done to the automation under the cursor, and the key for it.
local KEYS = {
  run = "r",
  cancel = "x",
  pause = "p",
  output = "o",
  answer = "a",
  why = "w",
  details = "<CR>",
  refresh = "R",
  close = "q",
}

local DEFAULTS = {
  command = { "sexton", "--stdio" },
  project = nil,
  autostart = false,
  notify = "important",
  ask = true,
  on_exit = "force",
  window = "botright split",
  output_lines = 10000,
  keys = KEYS,
  init_options = {},
}

local function one_of(...)
  local words = { ... }
  return function(value)
    return vim.tbl_contains(words, value)
  end
end

local function of_type(...)
  local types = { ... }
  return function(value)
    return vim.tbl_contains(types, type(value))
  end
end

local function is_command(value)
  if type(value) ~= "table" or not compat.is_list(value) or #value == 0 then
    return false
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" then
      return false
    end
  end
  return true
end

--- What each option may be: how that is told, and how it is seen.
local OPTIONS = {
  command = { "a list of strings, the program first", is_command },
  project = { "a directory, or a function that gives one", of_type("string", "function") },
  autostart = { "true or false", of_type("boolean") },
  notify = { '"important", "all" or false', one_of("important", "all", false) },
  ask = { "true or false", of_type("boolean") },
  on_exit = { '"force" or "wait"', one_of("force", "wait") },
  window = { 'a command that opens a window, such as "botright split"', of_type("string") },
  output_lines = {
    "a whole number from 100 on",
    function(value)
      return type(value) == "number" and value >= 100 and value == math.floor(value)
    end,
  },
  keys = { "a table", of_type("table") },
  init_options = { "a table", of_type("table") },
}

local function sorted_names(of)
  local names = vim.tbl_keys(of)
  table.sort(names)
  return table.concat(names, ", ")
end

local function refuse(text)
  error("sexton.setup: " .. text, 0)
end

local function check_keys(keys)
  for name, key in pairs(keys) do
    if KEYS[name] == nil then
      refuse(("there is no key `%s`; there are %s"):format(name, sorted_names(KEYS)))
    end
    if type(key) ~= "string" and key ~= false then
      refuse(("`keys.%s` must be a key, or false for none"):format(name))
    end
  end
end

--- The options with what was chosen; an error that names the option if something is wrong with one.
function M.read(chosen)
  if chosen ~= nil and type(chosen) ~= "table" then
    refuse("the options must be a table")
  end
  for name, value in pairs(chosen or {}) do
    local option = OPTIONS[name]
    if option == nil then
      refuse(("there is no option `%s`; there are %s"):format(tostring(name), sorted_names(OPTIONS)))
    end
    if not option[2](value) then
      refuse(("`%s` must be %s"):format(name, option[1]))
    end
  end
  local options = vim.tbl_extend("force", DEFAULTS, chosen or {})
  check_keys(options.keys)
  options.keys = vim.tbl_extend("force", KEYS, options.keys)
  return options
end

return M
