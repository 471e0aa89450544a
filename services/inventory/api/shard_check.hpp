// Is a call in the right place?  Whoever asked need not have known: an inventory sells nothing that
// another one keeps.
#pragma once
#include "core/base/result.hpp"
#include "core/protocol/inventory.pb.h"
#include "core/runtime/shard.hpp"

namespace rushproof::inventory {

// Permanent "wrong-shard" for what another shard keeps.
Result<void> check_shard(Shard own, const ::inventory::v1::ReserveRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::BasketRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::ReservationRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::ListReservationsRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::StockRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::SetStockRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::AdjustStockRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::AdjustStocksRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::ListStockRequest& request);
Result<void> check_shard(Shard own, const ::inventory::v1::LedgerRequest& request);

}  // namespace rushproof::inventory
