// Judges the thresholds of a scenario, and whether the generator itself can be trusted.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulator/load/metrics.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// What a live run knows about its own generator; shares are of one.
struct GeneratorHealth {
    double cpu_share_max = 0;  // busiest generator thread
    double steal_share = 0;    // taken by other virtual machines
};

// Why latencies measured by this generator must not be believed, one sentence each; empty when they
// may.  For live runs: in virtual time the generator is never late.
std::vector<std::string> generator_doubts(const Scenario& scenario, std::uint64_t seed,
                                          const LoadMetrics& metrics,
                                          const std::vector<FaultRecord>& faults,
                                          const GeneratorHealth& health);

// One record per threshold, in file order.  No samples in its window: fail, unless it allows that.
// With `doubts`, thresholds on time (latency, service time, rate, send lag) are not judged.
std::vector<ThresholdRecord> evaluate_thresholds(const Scenario& scenario,
                                                 const LoadMetrics& metrics,
                                                 const std::vector<FaultRecord>& faults,
                                                 const std::vector<std::string>& doubts);

}  // namespace rushproof::simulator
