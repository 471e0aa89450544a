// What inventory accepts from outside.  Errors are permanent and name the member: "invalid", or
// "not-found" for what can only be a name that was never given out.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/result.hpp"
#include "core/base/strong.hpp"

namespace rushproof::inventory {

Result<Sku> check_sku(std::string sku);             // letters, digits, '-', '_', '.'
Result<Owner> check_owner(std::string owner);       // printable ASCII
Result<IdempotencyKey> check_key(std::string key);  // printable ASCII
Result<ReservationId> check_reservation_id(std::string id);
Result<Quantity> check_quantity(std::int64_t quantity);  // of a reservation
Result<Quantity> check_on_hand(std::int64_t on_hand);
Result<std::int64_t> check_ledger_limit(std::int64_t limit);  // 0 means the default

}  // namespace rushproof::inventory
