#pragma once
#include "simulator/faults/chaos.hpp"
#include "simulator/world/network.hpp"
#include "simulator/world/scheduler.hpp"

namespace rushproof::simulator {

// The same trouble between machines: a role means all of its instances, an empty name everybody.
LinkFault link_fault_of(const LinkTrouble& trouble, Scheduler& scheduler);

}  // namespace rushproof::simulator
