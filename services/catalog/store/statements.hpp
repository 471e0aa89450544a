// The whole list of what catalog may ask a database.  Every transaction that changes a product
// locks its row first, whose lock orders the product's events.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/idempotency_sql.hpp"
#include "core/runtime/outbox_sql.hpp"

namespace rushproof::catalog::statements {

// product; rows are id, sku, name, description, category, minor_units, currency, version
extern const Statement find_product;    // $1 id
extern const Statement lock_product;    // the same, and locks the row
extern const Statement list_products;   // $1 category or '', $2 id after which to begin, $3 limit
extern const Statement insert_product;  // $1..$8 as a row; "unique-violation": the SKU is taken
extern const Statement update_product;  // $1 id, $2..$6 name to currency, $7 version
extern const Statement remove_product;  // $1 id

// deletion: of a product that is being deleted, or was
extern const Statement find_deletion;     // $1 id -> done, 1 or 0
extern const Statement begin_deletion;    // $1 id; nothing if there is one
extern const Statement undo_deletion;     // $1 id: only if not done
extern const Statement finish_deletion;   // $1 id
extern const Statement list_deletions;    // $1 age in us, $2 limit -> ids of those not done
extern const Statement forget_deletions;  // $1 age in us: of those done

// feed: what the events say
extern const Statement open_feed;    // $1 product: nothing if it is there
extern const Statement take_event;   // $1 product, $2 version, $3 kind: nothing if it is known
extern const Statement read_feed;    // $1 product -> version, kind, gaps
extern const Statement forget_feed;  // $1 age in us: of products deleted

extern const Statement ping;

const IdempotencySql& keys();
const OutboxSql& outbox();

const std::vector<const Statement*>& all();

}  // namespace rushproof::catalog::statements
