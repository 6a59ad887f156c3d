--- Bytes of output.

local M = {}

--- The value of each letter of Base64; `vim.base64` is not there before 0.10.
local SEXTETS = {}
for value = 0, 63 do
  local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  SEXTETS[letters:byte(value + 1)] = value
end

--- The bytes that a text in Base64 stands for.
function M.from_base64(encoded)
  local parts, held, bits = {}, 0, 0
  for place = 1, #encoded do
    local value = SEXTETS[encoded:byte(place)]
    if value then
      held, bits = held * 64 + value, bits + 6
      if bits >= 8 then
        bits = bits - 8
        local byte = math.floor(held / 2 ^ bits)
        table.insert(parts, string.char(byte))
        held = held - byte * 2 ^ bits
      end
    end
  end
  return table.concat(parts)
end

--- The last place up to which the bytes can be cut without cutting a character of UTF-8.
function M.border(text, most)
  local place = most
  while place > most - 4 and place > 0 do
    local following = text:byte(place + 1)
    if following == nil or following < 0x80 or following >= 0xC0 then
      return place
    end
    place = place - 1
  end
  return most
end

return M
