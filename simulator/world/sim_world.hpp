// One run in virtual time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

struct SimOptions {
    std::uint64_t seed = 1;
    std::vector<PlannedFault> plan;
    // Record every event of this window [first, last) of step numbers, for locating a difference.
    std::uint64_t trace_first = 0;
    std::uint64_t trace_last = 0;
    bool real_time_watchdog = true;
};

struct SimOutcome {
    History history;
    RunMetrics metrics;
    std::vector<FaultRecord> faults;
    TraceSummary trace;
    std::vector<std::string> notes;
};

// Pure function of (scenario, options): no clock, no file, no environment variable.
SimOutcome run_simulation(const Scenario& scenario, const SimOptions& options);

}  // namespace rushproof::simulator
