// The exact faults of one run: the timeline and the swarm with every draw made.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

struct PlannedFault {
    std::string id;     // "kill-1", or the author's
    Location location;  // of the timeline entry or the swarm kind
    Duration at{};
    Duration duration{};
    std::optional<AtPoint> at_point;
    Fault fault;  // target is a concrete instance or link
};

// Sorted by (at, id).  A function of (scenario, seed) alone.  Each fault draws from a stream of its
// own, so removing one leaves all others as they were.
std::vector<PlannedFault> plan_faults(const Scenario& scenario, std::uint64_t seed);

// Every instance that can be a target, in a fixed order: "gateway/0", ..., "inventory/0", ...
std::vector<std::string> instances(const Scenario& scenario);

}  // namespace rushproof::simulator
