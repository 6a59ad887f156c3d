--- Automations and runs as somebody names them who types a command: by title or by id.

local session = require("sexton.session")
local text = require("sexton.text")

local M = {}

--- The most titles that are told to somebody whose name fits none, or several.
local TOLD = 10

--- The fewest characters of an id, behind what all of them begin with, that may stand for the whole of it where something
--- is done: so many are copied, and not typed by chance.
local COPIED = 8

local function folded(title)
  return vim.fn.tolower(vim.trim(title))
end

--- A title as it is shown and completed, whatever blanks and marks are in it.
local function shown(title)
  return text.one_line(title, 160)
end

local function told(automations)
  local titles = {}
  for place, automation in ipairs(automations) do
    if place > TOLD then
      table.insert(titles, ("%d more"):format(#automations - TOLD))
      break
    end
    table.insert(titles, ("%s (%s)"):format(text.quoted(automation.title), automation.id))
  end
  return table.concat(titles, ", ")
end

--- The automation with this title or id; for whoever only looks, the beginning of either will do. A title may be named as
--- it is shown, unless another one is just that.
---
---@param intent "look"|"act"
---@return table|nil automation
---@return string|nil error
function M.automation(name, intent)
  local all = session.store():automations()
  local wanted, wanted_shown = folded(name), folded(shown(name))
  local exactly, as_shown, by_id, similar = {}, {}, {}, {}
  for _, automation in ipairs(all) do
    if automation.id == name then
      return automation
    end
    local title, title_shown = folded(automation.title), folded(shown(automation.title))
    local is_id_beginning = vim.startswith(name, "atm_") and vim.startswith(automation.id, name)
    if title == wanted then
      table.insert(exactly, automation)
    end
    if wanted_shown ~= "" and title_shown == wanted_shown then
      table.insert(as_shown, automation)
    end
    if is_id_beginning and #name >= #"atm_" + COPIED then
      table.insert(by_id, automation)
    end
    if wanted_shown ~= "" and (vim.startswith(title_shown, wanted_shown) or is_id_beginning) then
      table.insert(similar, automation)
    end
  end
  local by_title = #exactly > 0 and exactly or as_shown
  local meant = #by_title > 0 and by_title or (intent == "look" and similar or by_id)
  if #meant == 1 then
    return meant[1]
  elseif #meant > 1 then
    return nil, ("%d automations are called %s; name one by its id: %s"):format(#meant, text.quoted(name), told(meant))
  elseif #similar > 0 then
    return nil, ("no automation is called %s; did you mean %s?"):format(text.quoted(name), told(similar))
  elseif #all == 0 then
    return nil, ("no automation is called %s: this project has none"):format(text.quoted(name))
  end
  return nil, ("no automation is called %s; there are %s"):format(text.quoted(name), told(all))
end

--- The titles for completion, as they are shown; the id of one that looks the same as any other of the project.
function M.completions(automations, lead)
  local counts = {}
  for _, automation in ipairs(session.store():automations()) do
    local name = folded(shown(automation.title))
    counts[name] = (counts[name] or 0) + 1
  end
  local found = {}
  for _, automation in ipairs(automations) do
    local name = shown(automation.title)
    if name == "" or counts[folded(name)] > 1 then
      name = automation.id
    end
    if vim.startswith(folded(name), folded(shown(lead))) then
      table.insert(found, name)
    end
  end
  return found
end

return M
