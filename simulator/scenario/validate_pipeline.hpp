// What the tables cannot say of the pipeline of messages.
#pragma once
#include "simulator/scenario/reader.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// `tree` is what the scenario was read from; errors point into it.
void check_pipeline(const Scenario& scenario, const Node& tree, Reader& reader);

// True of a fault that can be done to the connections of live processes: of those to brokers, which
// go through relays of ours.
bool is_live_link_fault(const Fault& fault);

}  // namespace rushproof::simulator
