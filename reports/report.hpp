// Reports: pure functions of run records.  Equal records give equal bytes.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/record/run_record.hpp"

namespace rushproof::reports {

using simulator::RunRecord;

// One JSON object, on one line: what `rushproof run --json` prints and run.json holds.
std::string run_json(const RunRecord& run);
// Errors name the member that is missing or of the wrong type.
Result<RunRecord> parse_run_json(std::string_view text);

// The verdict table, what failed with its witness, and the line that replays it; no colour.
std::string terminal_report(const std::vector<RunRecord>& runs);
// One testsuite per run, one testcase per check and threshold.
std::string junit_report(const std::vector<RunRecord>& runs);
// `::error file=...,line=...` lines, worst first, at most nine and one that counts the rest.
std::string github_annotations(const std::vector<RunRecord>& runs);
// For $GITHUB_STEP_SUMMARY; under 60 KB.
std::string markdown_report(const std::vector<RunRecord>& runs);
// One file that needs nothing else.  `model_limits`: what the models of virtual time do not do as
// the real thing does, for runs that were there.
std::string html_report(const std::vector<RunRecord>& runs,
                        std::span<const std::string_view> model_limits = {});

}  // namespace rushproof::reports
