// What a run leaves behind for reports, CI and the dashboard: run.json is this structure.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/histogram.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Latency of one operation kind (from its intended start) in one slice of the run, one second long.
struct LatencySlice {
    std::int64_t second = 0;
    std::uint64_t count = 0;
    std::uint64_t errors = 0;
    std::int64_t p50 = 0;
    std::int64_t p99 = 0;
};

// Operation kind: "reserve", "confirm", "release", "read".
struct OperationMetrics {
    std::string operation;
    std::uint64_t started = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t refused = 0;  // insufficient stock: a correct answer
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t attempts = 0;
    Histogram latency;       // done - intended start, ns
    Histogram service_time;  // done - sent of each attempt, ns
    std::vector<LatencySlice> slices;
};

struct RunMetrics {
    std::vector<OperationMetrics> operations;
    Histogram send_lag;  // sent - intended, ns
    std::uint64_t arrivals = 0;
    std::uint64_t shed = 0;
    std::int64_t duration = 0;          // ns, of the load
    std::int64_t wall_time = 0;         // ns, of the whole run
    std::uint64_t scheduler_steps = 0;  // virtual time only
};

struct FaultRecord {
    std::string id;
    std::string kind;
    std::string target;
    std::int64_t planned = 0;
    std::int64_t began = -1;  // -1: never
    std::int64_t ended = -1;
    std::string evidence;
    int line = 0;
};

// A switch of the queue under load.
struct SwitchRecord {
    std::string id;
    std::string from;
    std::string to;
    std::string outcome;  // done | rolled-back | unknown
    std::int64_t epoch = 0;
    std::int64_t began = 0;
    std::int64_t duration = 0;
    std::int64_t carried_over = 0;  // messages that were still in the old queue
    std::string error;
};

struct CheckRecord {
    std::string name;
    std::string verdict;  // pass | fail | unknown
    std::string sentence;
    bool expected = false;             // `expect` named it: failing is what this run was for
    std::vector<std::string> witness;  // one operation a line, in words
    std::uint64_t operations = 0;
    int line = 0;
};

struct ThresholdRecord {
    std::string metric;
    std::string expression;
    std::string verdict;  // pass | fail | not-judged
    double measured = 0;
    std::uint64_t samples = 0;
    int line = 0;
};

struct LedgerLine {  // one SKU, worst first
    std::string sku;
    std::int64_t initial = 0;
    std::int64_t on_hand = 0;
    std::int64_t held = 0;
    std::int64_t sold = 0;
    std::int64_t oversold = 0;
};

struct RunRecord {
    std::string scenario;  // file
    std::string title;
    std::string description;
    std::uint64_t seed = 0;
    std::string world;                                      // sim | live
    std::vector<std::pair<std::string, std::string>> cell;  // matrix values
    std::string verdict;                                    // pass | fail | unknown | invalid
    int exit_code = 0;
    std::string trace_hash;  // 32 hex digits; empty when live
    std::string build;       // version, compiler, commit
    std::vector<CheckRecord> checks;
    std::vector<ThresholdRecord> thresholds;
    std::vector<FaultRecord> faults;
    std::vector<SwitchRecord> switches;
    std::vector<LedgerLine> ledger;
    RunMetrics metrics;
    std::string latency_verdict;         // "judged", or why not
    std::vector<std::string> notes;      // limits that hold for this run, in sentences
    std::vector<std::string> overrides;  // what --set and the like changed, as "path=value"
    std::string replay;                  // the one command that repeats it
    std::string directory;
};

}  // namespace rushproof::simulator
