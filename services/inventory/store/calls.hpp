// Typed ways to call the statements, and to read what they return.
#pragma once
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/transactions.hpp"
#include "services/inventory/domain/ledger.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/domain/stock.hpp"

namespace rushproof::inventory {

Call stock_call(const Statement& statement, const Sku& sku);
Call stock_call(const Statement& statement, const Sku& sku, Quantity quantity);
Call reservation_call(const Statement& statement, const ReservationId& id);
Call reservation_call(const Statement& statement, const ReservationId& id, const Owner& owner);
Call number_call(const Statement& statement, std::int64_t number);
Call change_held_at_call(const Sku& sku, Quantity change, std::int64_t version);
Call lock_stocks_call(std::vector<std::string> skus);
// Of the keys that stand for these SKUs under `advisory-lock`, in one order for all.
std::vector<Call> lock_key_calls(const std::vector<std::string>& skus);
Call lock_table_call();
Call change_held_call(const std::map<Sku, Quantity>& changes);
Call due_of_skus_call(std::vector<std::string> skus, std::int64_t limit);
Call ledger_page_call(const Sku& sku, std::int64_t after, std::int64_t limit);

// In their order.
Call ledger_call(const std::vector<LedgerEntry>& entries);
// Of a SKU's own change.
LedgerEntry entry_of(const Sku& sku, Quantity change);
// One for each line of a reservation.
std::vector<LedgerEntry> entries_of(LedgerKind kind, const Reservation& reservation);

// Columns as statements.hpp lists them.
Stock stock_of(const Row& row, std::size_t first_column = 0);
LedgerEntry ledger_entry_of(const Row& row);
// The reservation whose lines are the rows [first, last).
Reservation reservation_of(std::span<const Row> lines, std::size_t first_column = 0);
// A line of a reservation that is due.
struct Due {
    ReservationId id;
    Line line;
    IdempotencyKey key;
    std::int64_t lines = 1;  // of its reservation
};
std::vector<Due> due_in(const Rows& answer);
// Of find_reservation: "not-found" also if it belongs to somebody else.
Result<Reservation> only_of(const Owner& owner, const Rows& answer);

}  // namespace rushproof::inventory
