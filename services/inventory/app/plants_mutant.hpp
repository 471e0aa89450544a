// Planted sources of nondeterminism, which the determinism check must catch; defined in builds with
// mutants only.
#pragma once
#include "services/inventory/app/order.hpp"

namespace rushproof::inventory::plants {

// Lets the order depend on what its mutant, if it is a plant, must not look at.
void disturb(Order& order);

}  // namespace rushproof::inventory::plants
