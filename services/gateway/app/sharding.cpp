#include "services/gateway/app/sharding.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/protocol/inventory.pb.h"
#include "core/runtime/shard.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {

namespace {

namespace wire = ::inventory::v1;

Error spans_shards(const std::map<std::uint32_t, std::string>& skus, std::string_view remedy) {
    std::string message = "these SKUs are kept apart:";
    for (const auto& [shard, names] : skus) { message += " [" + names + "]"; }
    return {ErrorKind::permanent, "spans-shards", message + "; " + std::string(remedy)};
}

// Of a message with lines, all of which one shard must keep.
template <class Request>
Result<std::uint32_t> shard_of_lines(const std::string& message, std::uint32_t shards,
                                     std::string_view remedy) {
    Request request;
    request.ParseFromString(message);
    std::map<std::uint32_t, std::string> skus;
    for (const auto& line : request.lines()) {
        std::string& names = skus[shard_of_key(line.sku(), shards)];
        names += (names.empty() ? "" : ", ") + line.sku();
    }
    if (skus.size() > 1) { return failure(spans_shards(skus, remedy)); }
    return skus.empty() ? 1 : skus.begin()->first;
}

std::vector<std::uint32_t> all_of(std::uint32_t shards) {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = 1; number <= shards; ++number) { numbers.push_back(number); }
    return numbers;
}

std::string cursor_of(const wire::Stock& item) { return item.sku(); }
// As inventory writes it: a line of a reservation has one SKU.
std::string cursor_of(const wire::Reservation& item) { return item.id() + '/' + item.sku(); }

bool before(const wire::Stock& a, const wire::Stock& b) { return a.sku() < b.sku(); }
bool before(const wire::Reservation& a, const wire::Reservation& b) {
    return std::pair(a.id(), a.sku()) < std::pair(b.id(), b.sku());
}

template <class Request, class Page>
std::string merge(const std::string& request, const std::vector<std::string>& pages) {
    Request asked;
    asked.ParseFromString(request);
    Page merged;
    bool more = false;
    for (const std::string& page : pages) {
        Page part;
        part.ParseFromString(page);
        more = more || !part.next().empty();
        merged.MergeFrom(part);
    }
    auto& items = *merged.mutable_items();
    std::sort(items.begin(), items.end(),
              [](const auto& a, const auto& b) { return before(a, b); });
    const auto limit = static_cast<int>(asked.limit() == 0 ? limits::page : asked.limit());
    if (items.size() > limit) {
        more = true;
        items.DeleteSubrange(limit, items.size() - limit);
    }
    merged.set_next(more && !items.empty() ? cursor_of(*items.rbegin()) : std::string());
    return merged.SerializeAsString();
}

}  // namespace

Result<std::vector<std::uint32_t>> shards_for(const Forward& forward, const Outgoing& outgoing,
                                              std::uint32_t shards) {
    if (shards == 1) { return std::vector<std::uint32_t>{1}; }
    switch (forward.reach) {
        case Reach::sku: return std::vector{shard_of_key(outgoing.shard, shards)};
        case Reach::reservation:
            // One that nobody gave out is not found in any of them.
            return std::vector{std::max(1U, shard_of_uuid(outgoing.shard, shards))};
        case Reach::basket: {
            RP_TRY(const std::uint32_t shard,
                   shard_of_lines<wire::BasketRequest>(
                       outgoing.message, shards,
                       "reserve each group on its own, and release what you hold if another group "
                       "is refused"));
            return std::vector{shard};
        }
        case Reach::adjustments: {
            RP_TRY(const std::uint32_t shard,
                   shard_of_lines<wire::AdjustStocksRequest>(outgoing.message, shards,
                                                             "adjust each group on its own"));
            return std::vector{shard};
        }
        case Reach::reservations: {
            wire::ListReservationsRequest request;
            request.ParseFromString(outgoing.message);
            if (request.sku().empty()) { return all_of(shards); }
            return std::vector{shard_of_key(request.sku(), shards)};
        }
        case Reach::stocks: return all_of(shards);
        case Reach::products: return std::vector<std::uint32_t>{1};
    }
    return all_of(shards);
}

std::string merge_pages(Reach reach, const std::string& request,
                        const std::vector<std::string>& pages) {
    return reach == Reach::stocks
               ? merge<wire::ListStockRequest, wire::Stocks>(request, pages)
               : merge<wire::ListReservationsRequest, wire::Reservations>(request, pages);
}

std::string probe_of(std::uint32_t shard, std::uint32_t shards) {
    std::string probe = "ready";
    while (shard_of_key(probe, shards) != shard) { probe += '-'; }
    return probe;
}

}  // namespace rushproof::gateway
