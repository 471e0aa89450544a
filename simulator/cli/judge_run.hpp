// From what a run left behind to its verdict.  The same for both worlds.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/load/metrics.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Exit codes of `rushproof run`; of several runs the worst wins: 104, 90, 93, 92, 94, 99, 0.
enum class ExitCode : int {
    pass = 0,
    violated = 90,
    untrustworthy = 92,     // the generator was late and latency thresholds were asked for
    fault_unverified = 93,  // a fault of the timeline left no evidence
    unknown = 94,
    thresholds_missed = 99,
    invalid_scenario = 104,
    interrupted = 105,
};
ExitCode worse(ExitCode a, ExitCode b);

struct RunEvidence {
    std::string world;  // sim | live
    History history;
    LoadMetrics load;
    std::vector<FaultRecord> faults;
    std::vector<std::string> troubles;       // why it cannot be judged
    std::vector<std::string> disagreements;  // between the audit and the database
    std::vector<std::string> doubts;         // why latencies must not be believed
    std::vector<std::string> notes;
    std::string trace_hash;
    std::uint64_t steps = 0;
    std::int64_t wall_time = 0;  // ns that it took
};

// `overrides` are those that the scenario was parsed with ("path=value"), for the replay line.
RunRecord judge_run(const Scenario& scenario, std::uint64_t seed, const RunEvidence& evidence,
                    const std::vector<std::string>& overrides);

// The command that repeats one run.
std::string replay_line(const Scenario& scenario, std::uint64_t seed, const std::string& world,
                        const std::vector<std::string>& overrides);

// Version, compiler and commit of this program.
std::string build_text();

}  // namespace rushproof::simulator
