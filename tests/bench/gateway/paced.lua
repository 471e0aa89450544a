-- Four reads of the stock to one reservation; each connection waits `delay` ms before every request.
local thread_count = 0
function setup(thread)
    thread:set("id", thread_count)
    thread_count = thread_count + 1
end
local count = 0
local start = os.time()
local wait
function init(arguments)
    wait = tonumber(arguments[1])
end
function delay()
    return wait
end
function request()
    count = count + 1
    if count % 5 ~= 0 then
        return wrk.format("GET", "/api/v1/stock/SKU-1")
    end
    local headers = {
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = string.format("%d-%d-%d", start, id, count),
        ["X-Owner"] = "bench",
    }
    return wrk.format("POST", "/api/v1/reservations", headers, '{"sku":"SKU-1","quantity":1}')
end
