// The whole list of what inventory may ask a database.  Every transaction that appends to the
// ledger changes the SKU's stock row first, whose lock orders the ledger's numbers.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/idempotency_sql.hpp"

namespace rushproof::inventory::statements {

// stock
extern const Statement read_stock;      // $1 sku -> on_hand, held, sold, version
extern const Statement lock_stock;      // the same, and locks the row
extern const Statement create_stock;    // $1 sku; nothing if it exists
extern const Statement take_stock;      // $1 sku, $2 quantity: only if available -> as lock_stock
extern const Statement change_held;     // $1 sku, $2 change
extern const Statement change_held_at;  // $1 sku, $2 change, $3 version: only at that version
extern const Statement write_held;      // $1 sku, $2 held
extern const Statement sell_stock;      // $1 sku, $2 quantity
extern const Statement set_on_hand;     // $1 sku, $2 on_hand

// locks until the end of the transaction; SQLite's only writer has them all
extern const Statement lock_key;         // $1 key: excludes who locks the same key, nobody else
extern const Statement lock_table;       // stock: all but plain reads wait
extern const Statement limit_lock_wait;  // $1 ms: "lock-timeout" after that wait for any lock

// reservation; one row for each of its lines, in the order of SKUs; the columns are id, sku,
// quantity, owner, key, state, expires_at and the microseconds until then
extern const Statement find_reservation;  // $1 id
// The same, once no transaction under way can change it any more.
extern const Statement lock_reservation;
extern const Statement confirm_reservation;  // $1 id, $2 owner: only if held and not due
extern const Statement release_reservation;  // $1 id, $2 owner: only if held
// $1 id, $2 owner, $3 TTL in us from now, $4 longest life in us: only if held and not due
extern const Statement extend_reservation;
// $1 owner, $2 sku or '', $3 state or '', $4 id and $5 sku after which to begin, $6 limit
extern const Statement list_reservations;
extern const Statement list_stock;  // $1 sku after which to begin, $2 limit -> sku and its stock
// $1 limit -> id, sku, quantity, key, lines; skips what others have locked
extern const Statement lock_due;

// idempotency
const IdempotencySql& keys();
extern const Statement& claim_key;
extern const Statement find_key;  // $1..$3 -> fingerprint, and the reservation as it was made
extern const Statement& find_result;
extern const Statement& forget_keys;

// ledger
extern const Statement read_ledger;  // $1 sku, $2 after, $3 limit

extern const Statement ping;

// All of them, and in a build with mutants theirs as well.
const std::vector<const Statement*>& all();

}  // namespace rushproof::inventory::statements
