local t = require("harness")

local session = require("sexton.session")
local levels = vim.log.levels

local function ready()
  t.eventually("the automations are known", function()
    return session.store() and session.store().is_loaded
  end)
end

local function told_of(told, part)
  return t.eventually(part .. " is told", function()
    for _, notice in ipairs(told) do
      if notice.text:find(part, 1, true) then
        return notice
      end
    end
  end)
end

t.test("what failed is an error, a reminder is told, and what went well is not", function()
  local told = t.notifications()
  t.setup({ notify = "important", autostart = true })
  ready()
  local window = t.window()
  local good = t.automation(window, "Goes well", "true")
  t.ask(window, "automation/run", { id = good.id })
  local bad = t.automation(window, "Fails", "exit 7")
  t.ask(window, "automation/run", { id = bad.id })
  local failed = told_of(told, "exit code 7")
  t.equal(failed.level, levels.ERROR)
  t.matches(failed.text, "“Fails” failed at")
  local reminder = t.automation(window, "Stand up", "", { task = { kind = "notify", text = "Stand up\27[2J" } })
  t.ask(window, "automation/run", { id = reminder.id })
  t.equal(told_of(told, "Stand up").level, levels.INFO)
  t.equal(#told, 2)
end)

t.test("many at once are told as one", function()
  local told = t.notifications()
  t.setup({ notify = "important", autostart = true })
  ready()
  local window = t.window()
  local stop_listening
  local heard = 0
  stop_listening = require("sexton").on("important", function()
    heard = heard + 1
  end)
  -- All of them have happened before this Neovim hears of the first.
  local automation = t.automation(window, "Reminds", "", { task = { kind = "notify", text = "again" } })
  local open = 30
  for _ = 1, 30 do
    window:request("automation/run", { id = automation.id }, function()
      open = open - 1
    end)
  end
  t.eventually("all have happened", function()
    return open == 0 and heard == 30
  end)
  t.eventually("they are told", function()
    return #told > 0 and told[#told].text:find("others", 1, true)
  end)
  stop_listening()
  assert(#told < 6, #told)
end)

t.test("whoever wants to hear of everything does", function()
  local told = t.notifications()
  t.setup({ notify = "all", autostart = true })
  ready()
  local window = t.window()
  local good = t.automation(window, "Goes well", "true")
  t.ask(window, "automation/run", { id = good.id })
  t.equal(told_of(told, "“Goes well”: running").level, levels.INFO)
  told_of(told, "“Goes well”: succeeded")
end)

t.test("whoever wants to hear of nothing does not", function()
  local told = t.notifications()
  t.setup({ notify = false, autostart = true })
  ready()
  local window = t.window()
  local bad = t.automation(window, "Fails", "exit 7")
  local heard
  local stop_listening = require("sexton").on("important", function(event)
    heard = event.text
  end)
  t.ask(window, "automation/run", { id = bad.id })
  t.eventually("it is heard", function()
    return heard
  end)
  stop_listening()
  -- The notices of what was heard would be told by now.
  local is_over = false
  vim.defer_fn(function()
    is_over = true
  end, 400)
  t.eventually("its time is over", function()
    return is_over
  end)
  t.equal(told, {})
end)

t.test("a listener that fails is told, and keeps nobody else from hearing", function()
  local told = t.notifications()
  t.setup({ autostart = true })
  ready()
  local stop_failing = require("sexton").on("automation.updated", function()
    error("broken")
  end)
  local heard
  local stop_listening = require("sexton").on("automation.updated", function(event)
    heard = event.automation.title
  end)
  t.automation(t.window(), "New", "true")
  t.eventually("it is heard", function()
    return heard == "New"
  end)
  t.matches(told[1].text, "broken")
  stop_failing()
  stop_listening()
end)
