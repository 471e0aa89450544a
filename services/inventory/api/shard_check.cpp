#include "services/inventory/api/shard_check.hpp"

#include <string>

namespace rushproof::inventory {

namespace {

namespace wire = ::inventory::v1;

Result<void> check(Shard own, const std::string& what, std::uint32_t keeper) {
    if (keeper == own.number) { return {}; }
    return failure(ErrorKind::permanent, "wrong-shard",
                   what + " is kept by shard " + to_string({keeper, own.count}) + ", and this is " +
                       to_string(own) + ": the caller's shard map is wrong");
}

Result<void> check_sku(Shard own, const std::string& sku) {
    return check(own, sku, shard_of_key(sku, own.count));
}

}  // namespace

Result<void> check_shard(Shard own, const wire::ReserveRequest& request) {
    return check_sku(own, request.sku());
}

Result<void> check_shard(Shard own, const wire::BasketRequest& request) {
    for (const wire::Line& line : request.lines()) { RP_CHECK(check_sku(own, line.sku())); }
    return {};
}

Result<void> check_shard(Shard own, const wire::ReservationRequest& request) {
    const std::uint32_t keeper = own.count == 1 ? 1 : shard_of_uuid(request.id(), own.count);
    // Nobody's: looked for like any other, and not found.
    return keeper == 0 ? Result<void>() : check(own, request.id(), keeper);
}

Result<void> check_shard(Shard own, const wire::ListReservationsRequest& request) {
    return request.sku().empty() ? Result<void>() : check_sku(own, request.sku());
}

Result<void> check_shard(Shard own, const wire::StockRequest& request) {
    return check_sku(own, request.sku());
}

Result<void> check_shard(Shard own, const wire::SetStockRequest& request) {
    return check_sku(own, request.sku());
}

Result<void> check_shard(Shard own, const wire::AdjustStockRequest& request) {
    return check_sku(own, request.sku());
}

Result<void> check_shard(Shard own, const wire::AdjustStocksRequest& request) {
    for (const auto& line : request.lines()) { RP_CHECK(check_sku(own, line.sku())); }
    return {};
}

Result<void> check_shard(Shard, const wire::ListStockRequest&) { return {}; }

Result<void> check_shard(Shard own, const wire::LedgerRequest& request) {
    return check_sku(own, request.sku());
}

}  // namespace rushproof::inventory
