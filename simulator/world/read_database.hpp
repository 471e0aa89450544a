// What the simulated database holds at the end of a run.
#pragma once
#include "core/ports/model_transaction.hpp"
#include "simulator/load/database_contents.hpp"
#include "simulator/models/database/database.hpp"

namespace rushproof::simulator {

// The schema has the tables `stock` (sku, on_hand, held, sold, ...) and `ledger`; of a system that
// sends events also `outbox` and `feed` (sku, on_hand, held, sold, first, last, disorder).
DatabaseContents read_database(const ModelSchema& schema, const ModelDatabase& database);

}  // namespace rushproof::simulator
