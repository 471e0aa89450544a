// What the statements of table_queue_sql.hpp mean to the simulated database; linked only into the
// simulator and tests.
#pragma once
#include "core/ports/model_transaction.hpp"
#include "core/runtime/table_queue_sql.hpp"

namespace rushproof {

// Its tables and statements; `sql` outlives the schema.
void add_table_queue_model(ModelSchema& schema, const TableQueueSql& sql);

}  // namespace rushproof
