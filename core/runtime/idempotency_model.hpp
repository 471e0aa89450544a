// What the statements of idempotency_sql.hpp mean to the simulated database; linked only into the
// simulator and tests.
#pragma once
#include "core/ports/model_transaction.hpp"
#include "core/runtime/idempotency_sql.hpp"

namespace rushproof {

// Its tables and statements; `sql` outlives the schema.
void add_idempotency_model(ModelSchema& schema, const IdempotencySql& sql);

}  // namespace rushproof
