// An operator at work: switches the pipeline to another queue over the public API.
#pragma once
#include <string>

#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

struct SwitchTask {
    std::string id;  // of the switch, in the history
    std::string to;
    MonotonicTime start;     // time zero of the run
    MonotonicTime deadline;  // when it gives up
};

// Asks where messages go, asks for the switch, and looks until it has ended: `ok` when they go to
// the new queue alone, `fail` when it was refused or rolled back, else `info`.
Task<QueueSwitch> switch_queue(Clock& clock, HttpClient& http, SwitchTask task);

// "switched from memory in 1.204 s, 35 messages carried over"; empty when it did not happen.
std::string evidence_of(const QueueSwitch& change);

}  // namespace rushproof::simulator
