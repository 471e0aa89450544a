// Our own services as the system that a scenario describes.
#pragma once
#include <optional>
#include <string>

#include "simulator/scenario/scenario.hpp"
#include "simulator/world/sim_world.hpp"

namespace rushproof::simulator {

// Why this build cannot run a scenario that parsed: an unknown strategy, a mutant in a release
// program.  Nothing when it can.
std::optional<std::string> why_not_runnable(const Scenario& scenario);

// Of a scenario that can be run.
SimulatedSystem system_of(const Scenario& scenario);

}  // namespace rushproof::simulator
