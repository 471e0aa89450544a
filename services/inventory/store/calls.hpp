// Typed ways to call the statements, and to read what they return.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/ports/database.hpp"
#include "services/inventory/domain/ledger.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/domain/stock.hpp"

namespace rushproof::inventory {

// A pipeline.  Name it before co_await: g++ 12 cannot build a list inside an awaited expression.
template <class... Calls>
std::vector<Call> pipeline(Calls... calls) {
    std::vector<Call> result;
    result.reserve(sizeof...(calls));
    (result.push_back(std::move(calls)), ...);
    return result;
}

Call stock_call(const Statement& statement, const Sku& sku);
Call stock_call(const Statement& statement, const Sku& sku, Quantity quantity);
Call reservation_call(const Statement& statement, const ReservationId& id);
Call reservation_call(const Statement& statement, const ReservationId& id, const Owner& owner);
Call limit_call(const Statement& statement, std::int64_t limit);
Call change_held_at_call(const Sku& sku, Quantity change, std::int64_t version);
Call due_of_sku_call(const Sku& sku, std::int64_t limit);
Call ledger_page_call(const Sku& sku, std::int64_t after, std::int64_t limit);

Call ledger_call(LedgerKind kind, const Sku& sku, Quantity change);
Call ledger_call(LedgerKind kind, const Reservation& reservation);

// Columns as statements.hpp lists them.
Stock stock_of(const Row& row);
Reservation reservation_of(const Row& row, std::size_t first_column = 0);
LedgerEntry ledger_entry_of(const Row& row);
// Of lock_due and lock_due_of_sku, which tell no more than id, sku, quantity and key.
std::vector<Reservation> due_in(const Rows& answer);
// Of find_reservation: "not-found" also if it belongs to somebody else.
Result<Reservation> only_of(const Owner& owner, const Rows& answer);

}  // namespace rushproof::inventory
