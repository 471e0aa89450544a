// What the models of ordinary and of mutant statements share: tables, columns and idioms.
#pragma once
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/ports/model_transaction.hpp"

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

RowFilter where(std::size_t column, Value value);
// The given columns of a row, in the given order.
Row pick(const Row& row, std::initializer_list<std::size_t> columns);
// Array arguments.
const std::vector<std::string>& texts(const Row& arguments, std::size_t index);
const std::vector<std::int64_t>& numbers(const Row& arguments, std::size_t index);
// What UPDATE, INSERT and DELETE without RETURNING give.
Rows changed(const std::vector<Row>& rows);

// SELECT id, sku, quantity, key, lines FROM reservation WHERE <filter> AND expires_at <= now
// ORDER BY id LIMIT limit FOR UPDATE SKIP LOCKED.
Task<Result<Rows>> lock_due(ModelTransaction& transaction, RowFilter filter, WallTime now,
                            std::int64_t limit);

// SELECT fingerprint, <the reservation as it was made> FROM reservation WHERE id = result
Task<Result<Rows>> find_first_made(ModelTransaction& transaction, Value fingerprint, Value result);

}  // namespace rushproof::inventory::model
