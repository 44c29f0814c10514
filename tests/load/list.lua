-- For wrk: walks through ListResourceRequests, 100 entries a page, over and over. Every answer must be HTTP 200; of each
-- hundredth, the entries are counted.

wrk.method = "POST"
wrk.path = "/"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = "CloudApiService.ListResourceRequests"

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init()
    answers, wrong, after = 0, 0, ""
end

function request()
    return wrk.format(nil, nil, nil, '{"MaxResults":100' .. after .. "}")
end

function response(status, _, body)
    -- The last page is shorter, and has none.
    local token = body:match('"NextToken":"([^"]+)"', -64)
    after = token and ',"NextToken":"' .. token .. '"' or ""
    answers = answers + 1
    if status ~= 200 then
        wrong = wrong + 1
    elseif token and answers % 100 == 1 then
        local _, entries = body:gsub('"RequestToken":', "")
        wrong = wrong + (entries == 100 and 0 or 1)
    end
end

function done(summary, latency)
    local wrong = 0
    for _, thread in ipairs(threads) do
        wrong = wrong + thread:get("wrong")
    end
    local errors = summary.errors
    wrong = wrong + errors.connect + errors.read + errors.write + errors.timeout
    local seconds = summary.duration / 1e6
    print(string.format("calls %d", summary.requests))
    print(string.format("wrong %d", wrong))
    print(string.format("calls_per_second %.0f", summary.requests / seconds))
    print(string.format("megabytes_per_second %.0f", summary.bytes / summary.duration))
    print(string.format("p50_milliseconds %.1f", latency:percentile(50) / 1000))
    print(string.format("p99_milliseconds %.1f", latency:percentile(99) / 1000))
end
