// One run in real time: starts rushproofd processes of our own on free loopback ports, drives them
// over HTTP, injects faults with signals, audits, and stops everything it started.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "simulator/load/metrics.hpp"
#include "simulator/record/history.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

struct LiveOptions {
    std::uint64_t seed = 1;
    std::vector<PlannedFault> plan;
    std::string program;              // rushproofd
    std::string stack;                // infra/stack/stack, for a scenario on PostgreSQL
    std::filesystem::path directory;  // for databases and logs; created, and left for inspection
    unsigned threads = 1;             // generator threads, each with an io_context of its own
};

struct LiveOutcome {
    History history;
    LoadMetrics load;
    std::vector<FaultRecord> faults;
    std::vector<std::string> troubles;       // why it cannot be judged
    std::vector<std::string> disagreements;  // between the audit and the database
    std::vector<std::string> doubts;         // why latencies must not be believed
    std::vector<std::string> notes;          // "gateway/0: 41 MB at most"
    bool interrupted = false;  // SIGINT or SIGTERM came: everything was healed and stopped
};

LiveOutcome run_live(const Scenario& scenario, const LiveOptions& options);

}  // namespace rushproof::simulator
