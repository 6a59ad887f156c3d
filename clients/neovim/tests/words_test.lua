local t = require("harness")

local bytes = require("sexton.bytes")
local text = require("sexton.text")
local words = require("sexton.words")

local SECOND, MINUTE, HOUR, DAY = 1000, 60 * 1000, 3600 * 1000, 24 * 3600 * 1000

--- A Monday at noon by the clocks here.
local NOW = os.time({ year = 2025, month = 1, day = 6, hour = 12 }) * 1000

t.test("a time is told by its distance up to a week, as on the command line", function()
  local told = {
    { 0, "now" },
    { -499, "now" },
    { 500, "in 1 s" },
    { -20 * SECOND, "20 s ago" },
    { 59 * SECOND + 500, "in 1 min" },
    { 59 * MINUTE + 30 * SECOND, "in 1 h" },
    { -47 * HOUR, "47 h ago" },
    { 48 * HOUR, "in 2 days" },
    { 7 * DAY, "in 7 days" },
    { -7 * DAY - SECOND, "2024-12-30" },
    { 7 * DAY + SECOND, "2025-01-13" },
  }
  for _, pair in ipairs(told) do
    t.equal(words.relative(NOW + pair[1], NOW), pair[2])
  end
end)

t.test("clocks are told as shortly as they are understood", function()
  local told = {
    { HOUR, "13:00", "in 1 h (13:00)" },
    { -HOUR + SECOND, "11:00:01", "1 h ago (11:00:01)" },
    { 21 * HOUR, "Tuesday 09:00", "in 21 h (Tuesday 09:00)" },
    { -13 * HOUR, "2025-01-05 23:00", "13 h ago (2025-01-05 23:00)" },
    { 6 * DAY, "2025-01-12 12:00", "in 6 days (2025-01-12 12:00)" },
    { 30 * DAY, "2025-02-05 12:00", "2025-02-05 12:00" },
  }
  for _, each in ipairs(told) do
    t.equal(words.clock(NOW + each[1], NOW), each[2])
    t.equal(words.relative_and_clock(NOW + each[1], NOW), each[3])
  end
end)

t.test("a span is told in two units at most", function()
  local told = {
    { 0, "0 ms" },
    { 999, "999 ms" },
    { 1250, "1.2 s" },
    { 12900, "12 s" },
    { 200 * SECOND, "3 min 20 s" },
    { 2 * HOUR, "2 h" },
    { DAY, "1 day" },
    { 90 * DAY + HOUR, "90 days 1 h" },
  }
  for _, pair in ipairs(told) do
    t.equal(words.span(pair[1]), pair[2])
  end
end)

t.test("words of a later version stand for themselves", function()
  t.equal(words.outcome({ state = "hovering" }), "hovering")
  t.equal(words.outcome({ state = "stopped", stopReason = "abducted", completedAt = 1 }), "stopped")
  t.equal(words.paused({ reason = "weather" }), "weather")
  t.equal(words.why({ state = "scheduled", waiting = { ["for"] = "godot" } }, NOW), "for godot")
end)

t.test("texts of others become one line that steers nothing", function()
  t.equal(text.one_line("  two\r\n\t words \n", 100), "two words")
  t.equal(text.one_line("\27[31mred\7\194\1552J", 100), "[31mred 2J")
  t.equal(text.one_line("left\226\128\174thgir\226\129\169 \226\128\143 on", 100), "leftthgir on")
  t.equal(text.one_line("äöüß", 3), "äö…")
end)

t.test("what is cut fits, also where characters are wide", function()
  for columns = 1, 12 do
    assert(vim.fn.strdisplaywidth(text.cut("日本語のテキスト", columns)) <= columns, columns)
    assert(vim.fn.strdisplaywidth(text.cut("plain text is cut", columns)) <= columns, columns)
  end
  t.equal(text.cut("日本語", 5), "日本…")
  t.equal(text.cut("whole", 5), "whole")
end)

t.test("Base64 is read as it was written", function()
  t.equal(bytes.from_base64("AP/+Zm9v"), "\0\255\254foo")
  t.equal(bytes.from_base64("Zm9vYg=="), "foob")
  t.equal(bytes.from_base64("Zm8="), "fo")
  t.equal(bytes.from_base64(""), "")
end)

t.test("lines are cut between characters", function()
  t.equal(bytes.border("aäb", 2), 1)
  t.equal(bytes.border("aäb", 3), 3)
  t.equal(bytes.border(("\128"):rep(10), 5), 5)
end)
