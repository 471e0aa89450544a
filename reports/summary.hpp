// What all reports say in the same words: grouping of runs, the headline, numbers for people.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace rushproof::reports {

using simulator::RunRecord;

// Runs of one matrix cell in one world.
struct Cell {
    std::string name;  // "reservation=naive", or the title when there is no matrix
    std::vector<const RunRecord*> runs;
    std::size_t passed = 0;
    std::size_t failed = 0;      // including unknown and invalid
    std::size_t operations = 0;  // completed with a definite answer
    std::size_t unknown_outcomes = 0;
    Histogram latency;              // of the main operation, all runs merged
    bool negative_control = false;  // a failure was expected
};
std::vector<Cell> group_by_cell(const std::vector<RunRecord>& runs);

// The operation whose latency stands for the run: reserve, or where nothing is reserved what was
// done most.  Null if nothing was done.
const simulator::OperationMetrics* main_operation(const RunRecord& run);
// "reserve p50", or "p50" where runs differ in their main operation.
std::string p50_title(const std::vector<RunRecord>& runs);

struct FaultCount {
    std::size_t planned = 0;
    std::size_t bit = 0;  // began and left evidence
};
std::map<std::string, FaultCount> count_faults(const std::vector<RunRecord>& runs);

// "PASS: ..." or "FAIL: ...", one sentence with numbers.
std::string headline(const std::vector<RunRecord>& runs);
std::string worst_verdict(const std::vector<RunRecord>& runs);
bool passed(const RunRecord& run);
std::string cell_name(const RunRecord& run);

// Three significant digits and a unit: "812 us", "1.25 s".
std::string duration_text(std::int64_t ns);
// "12,345".
std::string count_text(std::uint64_t count);

}  // namespace rushproof::reports
