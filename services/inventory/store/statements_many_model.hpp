// The models of statements_many.hpp.
#pragma once
#include "core/ports/model_transaction.hpp"

namespace rushproof::inventory::model {

void add_many(ModelSchema& schema);

}  // namespace rushproof::inventory::model
