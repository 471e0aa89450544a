// The two charts of a run, as inline SVG with a title, a description and direct labels.
#pragma once
#include <string>

#include "simulator/record/run_record.hpp"

namespace rushproof::reports {

// p50 and p99 of reserve per second (log axis), operations and errors per second underneath, fault
// bands behind both.
std::string latency_over_time(const simulator::RunRecord& run);

// Latency against 1 / (1 - quantile), log-log: response time (from the intended start) of each
// operation kind.
std::string percentile_spectrum(const simulator::RunRecord& run);

}  // namespace rushproof::reports
