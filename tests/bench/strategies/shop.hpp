// Inventory in this process over a real database, with clients that reserve one unit of one SKU,
// one request after the other.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "core/base/histogram.hpp"
#include "core/ports/environment.hpp"
#include "services/inventory/app/application.hpp"
#include "tests/bench/strategies/tally.hpp"

namespace rushproof::bench {

// What `clients` saw between the end of the warm-up and the end.
struct Measured {
    Histogram latency;  // of reservations, in nanoseconds
    std::uint64_t failed = 0;
    Tally tally;
    Duration taken{};
};

using OpenDatabase =
    std::function<std::unique_ptr<Database>(const asio::any_io_executor&, Telemetry&)>;

// Exits when the database does not take stock.
Measured sell(const OpenDatabase& open, inventory::Strategy strategy, std::int64_t clients,
              Duration warm_up, Duration measured);

}  // namespace rushproof::bench
