// Statements and a table that only mutants need; defined in builds with mutants only.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/ports/model_transaction.hpp"
#include "services/inventory/mutant.hpp"

namespace rushproof::inventory::mutants {

extern const Statement lock_due_by;         // M26: $1 limit, $2 the time to compare with
extern const Statement lock_due_any_state;  // M25: $1 limit
extern const Statement expire_any_state;    // M25: $1 ids
extern const Statement find_loose_key;      // M08: as find_key
extern const Statement insert_loose_key;    // M08: as claim_key, but nothing is unique

extern const Statement sum_held;         // M04: $1 sku -> units of its held reservations
extern const Statement read_new_events;  // M16: $1 limit -> as read_lane, from the last one on
extern const Statement read_due;         // M27: as lock_due, without a lock

const std::vector<const Statement*>& statements();
extern const Migration create_tables;

// Adds the models of the above.
void extend(ModelSchema& schema);

}  // namespace rushproof::inventory::mutants
