#include "services/inventory/store/calls.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "services/inventory/store/statements.hpp"

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

Call limit_call(const Statement& statement, std::int64_t limit) { return {statement, {limit}}; }

Call change_held_at_call(const Sku& sku, Quantity change, std::int64_t version) {
    return {statements::change_held_at, {sku.text(), change.units(), version}};
}

Call due_of_sku_call(const Sku& sku, std::int64_t limit) {
    return {statements::lock_due_of_sku, {sku.text(), limit}};
}

Call ledger_page_call(const Sku& sku, std::int64_t after, std::int64_t limit) {
    return {statements::read_ledger, {sku.text(), after, limit}};
}

Call ledger_call(LedgerKind kind, const Sku& sku, Quantity change) {
    return {
        statements::append_ledger,
        {sku.text(), std::string(), std::string(), std::string(to_string(kind)), change.units()}};
}

Call ledger_call(LedgerKind kind, const Reservation& reservation) {
    return {statements::append_ledger,
            {reservation.sku.text(), reservation.id.text(), reservation.key.text(),
             std::string(to_string(kind)), reservation.quantity.units()}};
}

Stock stock_of(const Row& row) {
    Stock stock;
    stock.on_hand = Quantity(integer(row, 0));
    stock.held = Quantity(integer(row, 1));
    stock.sold = Quantity(integer(row, 2));
    stock.version = integer(row, 3);
    return stock;
}

Reservation reservation_of(const Row& row, std::size_t first_column) {
    Reservation reservation;
    reservation.id = ReservationId(text(row, first_column));
    reservation.sku = Sku(text(row, first_column + 1));
    reservation.quantity = Quantity(integer(row, first_column + 2));
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

std::vector<Reservation> due_in(const Rows& answer) {
    std::vector<Reservation> due;
    due.reserve(answer.rows.size());
    for (const Row& row : answer.rows) {
        Reservation& reservation = due.emplace_back();
        reservation.id = ReservationId(text(row, 0));
        reservation.sku = Sku(text(row, 1));
        reservation.quantity = Quantity(integer(row, 2));
        reservation.key = IdempotencyKey(text(row, 3));
    }
    return due;
}

Result<Reservation> only_of(const Owner& owner, const Rows& answer) {
    if (!answer.rows.empty()) {
        Reservation reservation = reservation_of(answer.rows[0]);
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
