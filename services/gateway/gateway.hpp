// gateway: the public REST API; checks requests and forwards them to inventory and
// catalog.
#pragma once
#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"

namespace rushproof::gateway {

struct Options {
    // A request that brings no deadline of its own gets this much time.
    Duration request_timeout = std::chrono::seconds(5);
    // The databases over which inventory spreads the SKUs (core/runtime/shard.hpp).
    std::uint32_t shards = 1;
};

// Answers the routes of services/gateway/api/openapi.json; keeps no state.
std::unique_ptr<Service> make_gateway(Environment& environment, Options options);

}  // namespace rushproof::gateway
