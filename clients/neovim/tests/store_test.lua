local t = require("harness")

local Store = require("sexton.store")

--- A store whose questions are answered when the test says so.
local function store_of()
  local asked = {}
  local store = Store.new(function(method, params, callback)
    table.insert(asked, { method = method, params = params, answer = callback })
  end, function() end)
  return store, asked
end

local function automation(id, revision, last)
  return { id = id, title = id, revision = revision, state = { activeRuns = {}, lastRun = last } }
end

local function run(id, of, completed_at)
  return { id = id, automationID = of, automationTitle = of, triggeredAt = 1, completedAt = completed_at }
end

--- Answers what is asked next; the method must be this.
local function answer(asked, method, result)
  local next = table.remove(asked, 1)
  t.equal(next.method, method)
  next.answer(nil, result)
  return next.params
end

local function loaded(automations, runs)
  local store, asked = store_of()
  local is_loaded = false
  store:load(function(failure)
    is_loaded = failure == nil
  end)
  answer(asked, "automation/list", { items = automations, seq = 10 })
  answer(asked, "run/list", { items = {}, seq = 10 })
  answer(asked, "run/list", { items = runs or {}, seq = 10 })
  t.equal(is_loaded, true)
  return store, asked
end

local function ids(store)
  return vim.tbl_map(function(each)
    return each.id
  end, store:automations())
end

t.test("all pages are read, in order, and last runs that are on none of them are asked for", function()
  local store, asked = store_of()
  local done = 0
  store:load(function()
    done = done + 1
  end)
  answer(asked, "automation/list", { items = { automation("c", 1), automation("b", 1) }, seq = 3, nextCursor = "n" })
  t.equal(answer(asked, "automation/list", { items = { automation("a", 1, "run_a") }, seq = 4 }).cursor, "n")
  answer(asked, "run/list", { items = { run("run_b", "b") }, seq = 5 })
  answer(asked, "run/list", { items = {}, seq = 5 })
  t.equal(done, 0)
  t.equal(answer(asked, "run/get", run("run_a", "a", 5)).id, "run_a")
  t.equal(done, 1)
  t.equal(ids(store), { "c", "b", "a" })
  t.equal(#store:active_runs(), 1)
  t.equal(store:last_run(store:automation("a")).id, "run_a")
end)

t.test("what was deleted while the list was on its way does not come back", function()
  local store, asked = store_of()
  store:load(function() end)
  store:heard({ kind = "automation.deleted", seq = 11, tombstone = { id = "a", revision = 2 } })
  answer(asked, "automation/list", { items = { automation("a", 1), automation("b", 1) }, seq = 10 })
  answer(asked, "run/list", { items = {}, seq = 10 })
  answer(asked, "run/list", { items = {}, seq = 10 })
  t.equal(ids(store), { "b" })
end)

t.test("an event that the list has seen already changes nothing", function()
  local store = loaded({ automation("a", 5) })
  store:heard({ kind = "automation.updated", seq = 9, automation = automation("a", 4) })
  store:heard({ kind = "automation.updated", seq = 8, automation = automation("deleted", 1) })
  t.equal(store:automation("a").revision, 5)
  t.equal(ids(store), { "a" })
  store:heard({ kind = "automation.updated", seq = 12, automation = automation("a", 6) })
  store:heard({ kind = "automation.updated", seq = 13, automation = automation("new", 1) })
  t.equal(store:automation("a").revision, 6)
  t.equal(ids(store), { "new", "a" })
end)

t.test("of the runs that have ended only the last of each automation is kept", function()
  local store = loaded({ automation("a", 1) })
  for number = 1, 100 do
    local id = "run_" .. number
    store:heard({ kind = "run.updated", seq = 10 + 3 * number, run = run(id, "a") })
    store:heard({ kind = "run.updated", seq = 11 + 3 * number, run = run(id, "a", number) })
    store:heard({ kind = "automation.updated", seq = 12 + 3 * number, automation = automation("a", 1, id) })
  end
  t.equal(vim.tbl_count(store.known.runs), 1)
  t.equal(vim.tbl_count(store.known.seqs), 2)
  store:heard({ kind = "automation.deleted", seq = 1000, tombstone = { id = "a", revision = 2 } })
  t.equal(vim.tbl_count(store.known.runs), 0)
  t.equal(vim.tbl_count(store.known.seqs), 0)
end)

t.test("a load that is overtaken by another one changes nothing", function()
  local store, asked = store_of()
  store:load(function() end)
  store:load(function() end)
  local late = table.remove(asked, 1)
  answer(asked, "automation/list", { items = { automation("new", 1) }, seq = 20 })
  answer(asked, "run/list", { items = {}, seq = 20 })
  answer(asked, "run/list", { items = {}, seq = 20 })
  late.answer(nil, { items = { automation("old", 1) }, seq = 10 })
  answer(asked, "run/list", { items = {}, seq = 10 })
  answer(asked, "run/list", { items = {}, seq = 10 })
  t.equal(ids(store), { "new" })
end)
