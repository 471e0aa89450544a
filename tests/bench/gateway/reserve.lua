-- POST /api/v1/reservations with a key of its own for every request.
local thread_count = 0
function setup(thread)
    thread:set("id", thread_count)
    thread_count = thread_count + 1
end
local count = 0
local start = os.time()
function request()
    count = count + 1
    local headers = {
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = string.format("%d-%d-%d", start, id, count),
        ["X-Owner"] = "bench",
    }
    return wrk.format("POST", "/api/v1/reservations", headers, '{"sku":"SKU-1","quantity":1}')
end
