// What the models of ordinary and of mutant statements share: tables, columns and idioms.
#pragma once

#include "core/ports/model_transaction.hpp"
#include "core/runtime/model_parts.hpp"

namespace rushproof::inventory::model {

// Column numbers.
namespace stock {
enum : std::size_t { sku, on_hand, held, sold, version };
}
namespace reservation {
enum : std::size_t { id, sku, quantity, owner, key, state, expires_at, created_at, lines };
}
namespace ledger {
enum : std::size_t { number, sku, reservation, key, kind, quantity, at };
}
namespace idempotency {
enum : std::size_t { owner, operation, key, fingerprint, result, created_at };
}

using rushproof::model::changed;
using rushproof::model::numbers;
using rushproof::model::pick;
using rushproof::model::texts;
using rushproof::model::where;

// SELECT id, sku, quantity, key, lines FROM reservation WHERE <filter> AND expires_at <= now
// ORDER BY id LIMIT limit FOR UPDATE SKIP LOCKED.
Task<Result<Rows>> lock_due(ModelTransaction& transaction, RowFilter filter, WallTime now,
                            std::int64_t limit);

// SELECT fingerprint, <the reservation as it was made> FROM reservation WHERE id = result
Task<Result<Rows>> find_first_made(ModelTransaction& transaction, Value fingerprint, Value result);

}  // namespace rushproof::inventory::model
