// What the statements of queue_route_sql.hpp mean to the simulated database; linked only into the
// simulator and tests.
#pragma once
#include "core/ports/model_transaction.hpp"
#include "core/runtime/queue_route_sql.hpp"

namespace rushproof {

// Its tables and statements; `sql` outlives the schema.
void add_queue_route_model(ModelSchema& schema, const QueueRouteSql& sql);

}  // namespace rushproof
