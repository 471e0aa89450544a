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
    Duration duration{};  // of kill, stop and promote: until the new start; zero: over at once
    std::optional<AtPoint> at_point;
    // The target is one instance, "database" or "clients", and so is each end of `between`, whose
    // first is then also the target.  Only with an at_point "any" stays: whoever reaches the point.
    Fault fault;
};

// Sorted by (at, id).  A function of (scenario, seed) alone.  Each fault draws from a stream of its
// own, so removing one leaves all others as they were.
std::vector<PlannedFault> plan_faults(const Scenario& scenario, std::uint64_t seed);

// Every instance that can be a target, in a fixed order: "gateway/0", ..., "inventory/0", ...
std::vector<std::string> instances(const Scenario& scenario);
// "database", which begins as the primary, and its standbys "replica/0", ...; of several shards
// "database/1", "database/2", ...
std::vector<std::string> database_servers(const Scenario& scenario);
// What "any" means for a fault of databases; nothing for the other kinds.
std::optional<std::string_view> usual_target(FaultKind kind);

}  // namespace rushproof::simulator
