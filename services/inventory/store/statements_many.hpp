// Statements over arrays, one element per row: what one call each would do, in one.  Parallel
// arrays have equal lengths.
#pragma once
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof::inventory::statements::many {

// stock, locked in the order of SKUs
extern const Statement lock_stock;   // $1 SKUs -> sku, on_hand, held, sold, version
extern const Statement change_held;  // $1 SKUs, $2 changes; lock them first

// reservation; a row is one line of a reservation
extern const Statement lock_due;            // $1 SKUs, $2 limit -> id, sku, quantity, key, lines
extern const Statement expire_reservation;  // $1 ids: only if held
// $1 ids, $2 SKUs, $3 quantities, $4 owners, $5 keys, $6 numbers of lines, $7 TTL in us (a number)
// -> expires_at
extern const Statement insert_reservation;

// idempotency
extern const Statement find_keys;   // $1 owners, $2 operation (a text), $3 keys; as find_key
extern const Statement claim_keys;  // $1 owners, $2 operation, $3 keys, $4 fingerprints, $5
                                    // results; "unique-violation" if one is taken

// ledger
extern const Statement append_ledger;  // $1 SKUs, $2 reservations, $3 keys, $4 kinds, $5 quantities

const std::vector<const Statement*>& all();

}  // namespace rushproof::inventory::statements::many
