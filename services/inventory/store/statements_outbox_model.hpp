// The models of statements_outbox.hpp, and their tables.
#pragma once
#include "core/ports/model_transaction.hpp"

namespace rushproof::inventory::model {

void add_outbox(ModelSchema& schema);

}  // namespace rushproof::inventory::model
