// The ledger: one row per change of availability, for ever.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/strong.hpp"
#include "core/base/time.hpp"

namespace rushproof::inventory {

enum class LedgerKind : std::uint8_t { stock, reserve, confirm, release, expire };

std::string_view to_string(LedgerKind kind);

// The rows of one SKU are numbered in the order in which their transactions committed, because
// every one of them is written while the SKU's stock row is locked.
struct LedgerEntry {
    std::int64_t number = 0;
    Sku sku;
    ReservationId reservation;  // empty for stock
    IdempotencyKey key;         // of the reserve that made the reservation; empty for stock
    std::string kind;           // a word of LedgerKind
    Quantity quantity;          // for stock: the change of on_hand
    WallTime at{};              // when the transaction began, by the database's clock
};

}  // namespace rushproof::inventory
