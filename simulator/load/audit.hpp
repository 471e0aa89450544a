// Before and after the load: sets the stock, and reads the ledger of every SKU over the public API
// into the history, as evidence for the checkers.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Puts the stock of every SKU, repeating each until it is acknowledged or `deadline` has passed
// (setting a stock twice to the same value has no further effect).
Task<Result<void>> set_initial_stock(Clock& clock, HttpClient& http,
                                     std::vector<std::pair<std::string, std::int64_t>> stock,
                                     MonotonicTime deadline);

struct AuditOptions {
    std::vector<std::string> skus;
    MonotonicTime start;       // time zero of the run ...
    WallTime wall_start;       // ... and what the database's clock showed then
    MonotonicTime quiet_from;  // past the longest reservation TTL; the audit waits for it
    MonotonicTime deadline;    // gives up then
    // The exact commit time (ns since the start of the run) of a SKU's ledger row, where the world
    // knows it.
    std::function<std::optional<std::int64_t>(std::string_view sku, std::int64_t number)>
        commit_time;

    // Of a system with a pipeline: when everything that was accepted has its effect, or none came
    // for a while, it waits this much longer for effects that come again.
    bool pipeline = false;
    Duration pipeline_rest{};
    std::vector<std::string> parts;  // of its composite queue; asks for what they lack, too
};

// Appends History::ledger, final_stock and the `expire` operations, with a pipeline also the
// `process` operations and divergences, and sets `audited`.  On error the history keeps its events
// and `audited` stays false.  An expire is invoked when its transaction began (less clock_bound);
// it completes at its commit time if that is known, else when the first operation with the same or
// a higher ledger number on that SKU was acknowledged, else when the audit read it.  `history`
// outlives the call.
Task<Result<void>> audit(Clock& clock, HttpClient& http, AuditOptions options, History& history);

}  // namespace rushproof::simulator
