// gateway: the public REST API; checks requests and forwards them to inventory, catalog, ingest
// and processor.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"

namespace rushproof::gateway {

struct Options {
    // A request that brings no deadline of its own gets this much time.
    Duration request_timeout = std::chrono::seconds(5);
    // The databases over which inventory spreads the SKUs (core/runtime/shard.hpp).
    std::uint32_t shards = 1;
    // Which neighbours there are: those are asked whether the gateway is ready.
    bool inventory = true;
    std::uint32_t ingests = 0;     // instances that can be told apart by RpcTarget::shard
    std::uint32_t processors = 0;  // likewise
    // Administrators send it as Bearer.  Without one they need none, if anybody may ask at all.
    std::string admin_token;
    bool admin_without_token = false;
};

// Answers the routes of services/gateway/api/openapi.json; keeps no state.
std::unique_ptr<Service> make_gateway(Environment& environment, Options options);

}  // namespace rushproof::gateway
