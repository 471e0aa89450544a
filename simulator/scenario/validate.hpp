// What the tables cannot say: names that must exist, things that must fit together.
#pragma once
#include "simulator/scenario/tables.hpp"

namespace rushproof::simulator {

// `tree` is what the document was read from; errors point into it.  What begins after the end of
// the run is an error, but only a warning when an override made the run shorter.
void validate(const Document& document, const Node& tree, Reader& reader);

// Removes what begins after the end of the run, and the thresholds that speak of it.
void cut_to_duration(Scenario& scenario);

}  // namespace rushproof::simulator
