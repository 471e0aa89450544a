#include "services/inventory/store/calls.hpp"

#include <algorithm>
#include <set>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory {

Call stock_call(const Statement& statement, const Sku& sku) { return {statement, {sku.text()}}; }

Call stock_call(const Statement& statement, const Sku& sku, Quantity quantity) {
    return {statement, {sku.text(), quantity.units()}};
}

Call reservation_call(const Statement& statement, const ReservationId& id) {
    return {statement, {id.text()}};
}

Call reservation_call(const Statement& statement, const ReservationId& id, const Owner& owner) {
    return {statement, {id.text(), owner.text()}};
}

Call number_call(const Statement& statement, std::int64_t number) { return {statement, {number}}; }

Call change_held_at_call(const Sku& sku, Quantity change, std::int64_t version) {
    return {statements::change_held_at, {sku.text(), change.units(), version}};
}

Call lock_stocks_call(std::vector<std::string> skus) {
    return {statements::many::lock_stock, {std::move(skus)}};
}

std::vector<Call> lock_key_calls(const std::vector<std::string>& skus) {
    std::set<std::int64_t> keys;
    for (const std::string& sku : skus) {
        keys.insert(static_cast<std::int64_t>(hash64("inventory.stock " + sku)));
    }
    std::vector<Call> calls;
    calls.reserve(keys.size());
    for (const std::int64_t key : keys) { calls.push_back(number_call(statements::lock_key, key)); }
    return calls;
}

Call lock_table_call() { return {statements::lock_table, {}}; }

Call change_held_call(const std::map<Sku, Quantity>& changes) {
    std::vector<std::string> skus;
    std::vector<std::int64_t> units;
    for (const auto& [sku, change] : changes) {
        skus.push_back(sku.text());
        units.push_back(change.units());
    }
    return {statements::many::change_held, {std::move(skus), std::move(units)}};
}

Call due_of_skus_call(std::vector<std::string> skus, std::int64_t limit) {
    return {statements::many::lock_due, {std::move(skus), limit}};
}

Call ledger_page_call(const Sku& sku, std::int64_t after, std::int64_t limit) {
    return {statements::read_ledger, {sku.text(), after, limit}};
}

Call ledger_call(const std::vector<LedgerEntry>& entries) {
    std::vector<std::string> skus;
    std::vector<std::string> reservations;
    std::vector<std::string> keys;
    std::vector<std::string> kinds;
    std::vector<std::int64_t> quantities;
    for (const LedgerEntry& entry : entries) {
        skus.push_back(entry.sku.text());
        reservations.push_back(entry.reservation.text());
        keys.push_back(entry.key.text());
        kinds.push_back(entry.kind);
        quantities.push_back(entry.quantity.units());
    }
    return {statements::many::append_ledger,
            {std::move(skus), std::move(reservations), std::move(keys), std::move(kinds),
             std::move(quantities)}};
}

LedgerEntry entry_of(const Sku& sku, Quantity change) {
    LedgerEntry entry;
    entry.sku = sku;
    entry.kind = to_string(LedgerKind::stock);
    entry.quantity = change;
    return entry;
}

std::vector<LedgerEntry> entries_of(LedgerKind kind, const Reservation& reservation) {
    std::vector<LedgerEntry> entries;
    for (const Line& line : reservation.lines) {
        LedgerEntry& entry = entries.emplace_back();
        entry.sku = line.sku;
        entry.reservation = reservation.id;
        entry.key = reservation.key;
        entry.kind = to_string(kind);
        entry.quantity = line.quantity;
    }
    return entries;
}

Stock stock_of(const Row& row, std::size_t first_column) {
    Stock stock;
    stock.on_hand = Quantity(integer(row, first_column));
    stock.held = Quantity(integer(row, first_column + 1));
    stock.sold = Quantity(integer(row, first_column + 2));
    stock.version = integer(row, first_column + 3);
    return stock;
}

Reservation reservation_of(std::span<const Row> lines, std::size_t first_column) {
    RP_ASSERT(!lines.empty());
    const Row& row = lines.front();
    Reservation reservation;
    reservation.id = ReservationId(text(row, first_column));
    for (const Row& line : lines) {
        reservation.lines.push_back(
            {Sku(text(line, first_column + 1)), Quantity(integer(line, first_column + 2))});
    }
    // UPDATE ... RETURNING has no order.
    reservation.lines = merge_lines(std::move(reservation.lines));
    reservation.owner = Owner(text(row, first_column + 3));
    reservation.key = IdempotencyKey(text(row, first_column + 4));
    const auto state = parse_state(text(row, first_column + 5));
    RP_ASSERT(state.has_value());
    reservation.state = *state;
    reservation.expires_at = wall_time(row, first_column + 6);
    if (reservation.state == State::held) {
        const std::int64_t left = integer(row, first_column + 7);
        reservation.time_left = std::chrono::microseconds(std::max<std::int64_t>(left, 0));
    }
    return reservation;
}

std::vector<Due> due_in(const Rows& answer) {
    std::vector<Due> due;
    due.reserve(answer.rows.size());
    for (const Row& row : answer.rows) {
        due.push_back({ReservationId(text(row, 0)),
                       {Sku(text(row, 1)), Quantity(integer(row, 2))},
                       IdempotencyKey(text(row, 3)),
                       integer(row, 4)});
    }
    return due;
}

Result<Reservation> only_of(const Owner& owner, const Rows& answer) {
    if (!answer.rows.empty()) {
        Reservation reservation = reservation_of(answer.rows);
        if (reservation.owner == owner) { return reservation; }
    }
    return failure(ErrorKind::permanent, "not-found", "no such reservation");
}

LedgerEntry ledger_entry_of(const Row& row) {
    LedgerEntry entry;
    entry.number = integer(row, 0);
    entry.reservation = ReservationId(text(row, 1));
    entry.key = IdempotencyKey(text(row, 2));
    entry.kind = text(row, 3);
    entry.quantity = Quantity(integer(row, 4));
    entry.at = wall_time(row, 5);
    return entry;
}

}  // namespace rushproof::inventory
