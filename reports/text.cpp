#include "reports/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "reports/summary.hpp"

namespace rushproof::reports {

std::string escape_markup(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&#39;"; break;
            default:
                result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
        }
    }
    return result;
}

std::vector<Finding> findings(const simulator::RunRecord& run) {
    std::vector<Finding> result;
    for (const auto& check : run.checks) {
        const bool surprise = check.expected ? check.verdict == "pass" : check.verdict != "pass";
        if (!surprise) { continue; }
        const std::string sentence =
            check.expected
                ? "passed, although `expect` says that it must fail: either the negative "
                  "control is no longer wrong, or the check is blind"
                : check.sentence;
        result.push_back({&run, check.name, sentence, check.witness, check.line, true});
    }
    for (const auto& threshold : run.thresholds) {
        if (threshold.verdict != "fail") { continue; }
        const std::string measured = threshold.samples == 0
                                         ? "no samples"
                                         : "measured " + measured_text(threshold) + " over " +
                                               std::to_string(threshold.samples) + " samples";
        result.push_back({&run,
                          threshold.metric + ": " + threshold.expression,
                          measured,
                          {},
                          threshold.line,
                          false});
    }
    return result;
}

std::vector<Finding> findings(const std::vector<simulator::RunRecord>& runs) {
    std::vector<Finding> result;
    for (const auto& run : runs) {
        for (auto& finding : findings(run)) { result.push_back(std::move(finding)); }
    }
    std::stable_sort(result.begin(), result.end(), [](const Finding& a, const Finding& b) {
        return a.consistency && !b.consistency;
    });
    return result;
}

std::string measured_text(const simulator::ThresholdRecord& threshold) {
    const bool is_time = threshold.metric.find("latency") != std::string::npos ||
                         threshold.metric.find("time") != std::string::npos ||
                         threshold.metric.find("lag") != std::string::npos;
    const bool counts = threshold.expression.starts_with("count");
    if (is_time && !counts) { return duration_text(static_cast<std::int64_t>(threshold.measured)); }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", threshold.measured);
    return text.data();
}

}  // namespace rushproof::reports
