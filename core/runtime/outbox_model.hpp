// What the statements of outbox_sql.hpp mean to the simulated database; linked only into the
// simulator and tests.
#pragma once
#include "core/ports/model_transaction.hpp"
#include "core/runtime/outbox_sql.hpp"

namespace rushproof {

// Its tables and statements; `sql` outlives the schema.
void add_outbox_model(ModelSchema& schema, const OutboxSql& sql);

}  // namespace rushproof
