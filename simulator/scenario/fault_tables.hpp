// The part of the description that speaks of faults: the timeline and the swarm.
#pragma once
#include "simulator/scenario/schema_types.hpp"

namespace rushproof::simulator {

Type<TimelineEntry> timeline_entry_type();
Type<Swarm> swarm_type();

}  // namespace rushproof::simulator
