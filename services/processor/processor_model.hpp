// processor's tables and statements for the simulated database; linked only into the simulator and
// tests.
#pragma once
#include "core/ports/model_transaction.hpp"

namespace rushproof::processor {

ModelSchema model_schema();

}  // namespace rushproof::processor
