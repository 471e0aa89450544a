// catalog: owns the products: what is offered under which SKU, and for how much.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/database.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/runtime/events.hpp"

namespace rushproof::catalog {

struct Options {
    // How often deletions are looked for that nobody finished, and what is old is forgotten.
    Duration sweep_interval = std::chrono::seconds(5);
    // How often the outbox is looked at when it was empty.
    Duration relay_interval = std::chrono::seconds(1);
    EventOptions events{};
    // Databases over which inventory's SKUs are spread.
    std::uint32_t shards = 1;
};

// Answers catalog.v1 (core/protocol/catalog.proto) over the Environment's database, and asks
// inventory over its Rpc.  Throws std::invalid_argument for options out of range.
std::unique_ptr<Service> make_catalog(Environment& environment, Options options);

// The schema that catalog needs, for the host to apply before it starts.
const std::vector<Migration>& migrations();

}  // namespace rushproof::catalog
