-- SPDX-License-Identifier: MIT
-- Requests of many users in turn: the file REQUESTS has a line "PATH TOKEN" for each. STOP_AFTER ends the run early.
local requests, at, answered = {}, 0, 0
local stop_after = tonumber(os.getenv("STOP_AFTER") or "0")

function init()
  for line in io.lines(os.getenv("REQUESTS")) do
    local path, token = line:match("(%S+) ?(%S*)")
    local headers = { Accept = "application/json" }
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

local function tell(count, us, bytes, p50, p99, status, broken)
  io.write(string.format("RESULT requests=%d us=%d bytes=%d p50=%d p99=%d status=%d broken=%d\n", count, us, bytes, p50, p99, status, broken))
end

-- wrk itself ends only with its time.
if stop_after > 0 then
  local refused = 0
  function response(status)
    answered = answered + 1
    if status >= 400 then refused = refused + 1 end
    if answered >= stop_after then
      tell(answered, 1, 0, 1, 1, refused, 0)
      io.flush()
      os.exit(0)
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  tell(summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout)
end
