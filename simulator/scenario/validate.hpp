// What the tables cannot say: names that must exist, things that must fit together.
#pragma once
#include "simulator/scenario/tables.hpp"

namespace rushproof::simulator {

// `tree` is what the document was read from; errors point into it.  What begins after the end of
// the run is an error, but only a warning when an override made the run shorter.
void validate(const Document& document, const Node& tree, Reader& reader);

// Removes what begins after the end of the run, and the thresholds that speak of it.
void cut_to_duration(Scenario& scenario);

// The machines between which messages travel: "clients", the instances, the databases' servers.
std::vector<std::string> machines(const Scenario& scenario);

// Which machines a target may mean, in order: one instance, all of a role, or any of a service.
// Empty when it names nothing.
std::vector<std::string> resolve_target(const Scenario& scenario, std::string_view target);

// True when messages travel between the two: clients to gateways to inventories to the database,
// whose servers talk to one another.
bool are_linked(std::string_view a, std::string_view b);

}  // namespace rushproof::simulator
