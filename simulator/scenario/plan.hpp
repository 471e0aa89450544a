// The exact faults of one run: the timeline and the swarm with every draw made.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Ids of swarm faults begin with this; no author's id may.
inline constexpr std::string_view swarm_id_prefix = "swarm-";

struct PlannedFault {
    std::string id;     // "kill-1", "swarm-kill-17", or the author's
    Location location;  // of the timeline entry or the swarm kind
    Duration at{};
    // Of what restarts: until the new start; of a switch: its deadline; zero: over at
    // once.
    Duration duration{};
    std::optional<AtPoint> at_point;
    // The target is one instance, "database" or "clients", and so is each end of `between`, whose
    // first is then also the target.  Only with an at_point "any" stays: whoever reaches the point.
    Fault fault;
};

// It lasts until its `restart-after` is over.
bool restarts(const Fault& fault);
// It has happened as soon as it begins.
bool takes_no_time(const Fault& fault);

// Sorted by (at, id).  A function of (scenario, seed) alone.  Each fault draws from a stream of its
// own, so removing one leaves all others as they were.
std::vector<PlannedFault> plan_faults(const Scenario& scenario, std::uint64_t seed);

}  // namespace rushproof::simulator
