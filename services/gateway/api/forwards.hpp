// The public routes, as tables: how each request becomes a call to another role, and its answer
// HTTP.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"
#include "core/runtime/json.hpp"

namespace rushproof::gateway {

// What a write answers with, and what a read that must see its effect sends back.
inline constexpr std::string_view position_field = "rushproof-position";

struct Outgoing {
    std::string shard;    // a SKU, a reservation's id, or what picks an instance
    std::string message;  // of core/protocol
};

// Whom a call concerns: the shard of a SKU or of a reservation, the one shard of several SKUs, all
// of them, or catalog, which has no shards.
enum class Reach : std::uint8_t {
    sku,
    reservation,
    basket,
    adjustments,
    reservations,
    stocks,
    products
};

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
    // A client may prefer it to be done later, as a message.
    bool may_come_later = false;
};

constexpr bool with_key = true;
constexpr bool without_key = false;

// Stock and reservations, which are inventory's.
const std::vector<Forward>& inventory_forwards();
// Products, which are catalog's.
const std::vector<Forward>& catalog_forwards();

// Of HttpRequest::query; 0 when the query does not have it.
Result<std::int64_t> query_number(const HttpRequest& request, std::string_view name);

// A reservation as inventory.v1 writes it.
HttpResponse reservation_response(int status, const std::string& answer);
// When a role's answer is none of core/protocol.
HttpResponse unreadable(std::string_view role);

// {"items": [...], "next": where the next page begins, if there may be one}
template <class Page, class Write>
HttpResponse write_page(const Page& page, Write write) {
    JsonWriter json;
    json.begin_object();
    json.begin_array("items");
    for (const auto& item : page.items()) { write(json, item); }
    json.end_array();
    if (!page.next().empty()) { json.member("next", page.next()); }
    json.end_object();
    return HttpResponse(200, std::move(json).text());
}

}  // namespace rushproof::gateway
