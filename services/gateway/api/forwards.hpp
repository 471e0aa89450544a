// The public routes, as a table: how each request becomes a call to inventory, and its answer HTTP.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"

namespace rushproof::gateway {

struct Outgoing {
    std::string shard;    // a SKU, a reservation's id, or what picks an instance
    std::string message;  // of core/protocol
};

// Whom a call concerns: the shard of a SKU or of a reservation, the one shard of several SKUs, or
// all of them.
enum class Reach : std::uint8_t { sku, reservation, basket, adjustments, reservations, stocks };

// A route that forwards to one RPC method.  `read` finds mistakes in the request; `write` gets what
// the method answered.
struct Forward {
    std::string_view http_method;
    std::string_view pattern;
    std::string_view rpc_method;
    Result<Outgoing> (*read)(const HttpRequest& request);
    HttpResponse (*write)(const std::string& answer);
    // Must the request carry an Idempotency-Key?
    bool needs_key;
    Reach reach = Reach::sku;
};

const std::vector<Forward>& forwards();

}  // namespace rushproof::gateway
