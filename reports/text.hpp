// Escaping and small pieces shared by the text formats.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace rushproof::reports {

// For XML and HTML text and attributes; control characters that XML forbids become spaces.
std::string escape_markup(std::string_view text);

// One thing that went wrong in one run, worst first in `findings`.
struct Finding {
    const simulator::RunRecord* run;
    std::string title;  // "no-oversell" or "reserve.latency p(99) < 80ms"
    std::string sentence;
    std::vector<std::string> witness;
    int line = 0;
    bool consistency = true;  // else a threshold
};
std::vector<Finding> findings(const simulator::RunRecord& run);
std::vector<Finding> findings(const std::vector<simulator::RunRecord>& runs);

// What a threshold measured, with its unit.
std::string measured_text(const simulator::ThresholdRecord& threshold);

}  // namespace rushproof::reports
