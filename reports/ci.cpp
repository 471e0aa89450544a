// What continuous integration reads: JUnit XML, GitHub annotations and the step summary.
#include <algorithm>
#include <cstdio>

#include "reports/report.hpp"
#include "reports/summary.hpp"
#include "reports/text.hpp"

namespace rushproof::reports {

namespace {

std::string seconds(std::int64_t ns) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", static_cast<double>(ns) / 1e9);
    return text;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) { text += line + "\n"; }
    return text;
}

std::string test_case(const RunRecord& run, const std::string& name, const std::string& failure,
                      const std::string& detail, bool skipped) {
    std::string text = "    <testcase classname=\"" + escape_markup(run.scenario) + "\" name=\"" +
                       escape_markup(name) + "\"";
    if (skipped) {
        return text + "><skipped message=\"" + escape_markup(failure) + "\"/></testcase>\n";
    }
    if (failure.empty()) { return text + "/>\n"; }
    return text + "><failure message=\"" + escape_markup(failure) + "\">" +
           escape_markup(detail + "replay: " + run.replay) + "</failure></testcase>\n";
}

// GitHub's own escaping of workflow commands.
std::string escape_annotation(std::string_view text, bool property) {
    std::string result;
    for (const char c : text) {
        if (c == '%') {
            result += "%25";
        } else if (c == '\n') {
            result += "%0A";
        } else if (c == '\r') {
            result += "%0D";
        } else if (property && (c == ':' || c == ',')) {
            result += c == ':' ? "%3A" : "%2C";
        } else {
            result += c;
        }
    }
    return result;
}

std::string markdown_cell(std::string text) {
    std::string result;
    for (const char c : text) {
        if (c == '|') { result += '\\'; }
        result += c == '\n' ? ' ' : c;
    }
    return result;
}

constexpr std::size_t annotations_max = 9;
constexpr std::size_t findings_shown_max = 20;

}  // namespace

std::string junit_report(const std::vector<RunRecord>& runs) {
    std::string body;
    std::size_t all_tests = 0;
    std::size_t all_failures = 0;
    for (const RunRecord& run : runs) {
        std::string cases;
        std::size_t failures = 0;
        std::size_t skips = 0;
        const auto found = findings(run);
        for (const auto& check : run.checks) {
            const auto finding = std::find_if(found.begin(), found.end(), [&](const Finding& f) {
                return f.consistency && f.title == check.name;
            });
            const bool bad = finding != found.end();
            failures += bad ? 1 : 0;
            cases += test_case(run, check.name, bad ? check.verdict + ": " + finding->sentence : "",
                               joined(check.witness), false);
        }
        for (const auto& threshold : run.thresholds) {
            const bool bad = threshold.verdict == "fail";
            const bool skipped = threshold.verdict == "not-judged";
            failures += bad ? 1 : 0;
            skips += skipped ? 1 : 0;
            const std::string why = skipped ? "not judged: " + run.latency_verdict
                                    : bad   ? "measured " + measured_text(threshold)
                                            : "";
            cases +=
                test_case(run, threshold.metric + ": " + threshold.expression, why, "", skipped);
        }
        // A run that is wrong as a whole (invalid, a fault that did nothing) must not look green.
        if (failures == 0 && !passed(run)) {
            ++failures;
            cases += test_case(run, "run", run.verdict + ": " + run.latency_verdict,
                               joined(run.notes), false);
        }
        const std::size_t tests = run.checks.size() + run.thresholds.size() +
                                  (cases.find("name=\"run\"") != std::string::npos);
        body += "  <testsuite name=\"" + escape_markup(cell_name(run)) + " seed " +
                std::to_string(run.seed) + " " + run.world + "\" tests=\"" + std::to_string(tests) +
                "\" failures=\"" + std::to_string(failures) + "\" skipped=\"" +
                std::to_string(skips) + "\" time=\"" + seconds(run.metrics.wall_time) + "\">\n" +
                cases + "  </testsuite>\n";
        all_tests += tests;
        all_failures += failures;
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rushproof\" tests=\"" +
           std::to_string(all_tests) + "\" failures=\"" + std::to_string(all_failures) + "\">\n" +
           body + "</testsuites>\n";
}

std::string github_annotations(const std::vector<RunRecord>& runs) {
    const auto found = findings(runs);
    std::string text;
    for (std::size_t i = 0; i < found.size() && i < annotations_max; ++i) {
        const Finding& finding = found[i];
        text += "::error file=" + escape_annotation(finding.run->scenario, true) +
                ",line=" + std::to_string(std::max(finding.line, 1)) +
                ",title=" + escape_annotation(finding.title, true) + "::" +
                escape_annotation(finding.sentence + "\nseed " + std::to_string(finding.run->seed) +
                                      ", " + cell_name(*finding.run) + "\n" +
                                      joined(finding.witness) + "replay: " + finding.run->replay,
                                  false) +
                "\n";
    }
    if (found.size() > annotations_max) {
        text += "::error title=rushproof::" + std::to_string(found.size() - annotations_max) +
                " more findings are in the summary and in report.html\n";
    }
    return text;
}

std::string markdown_report(const std::vector<RunRecord>& runs) {
    std::string text = "## Rushproof: " + headline(runs) + "\n\n";
    text += "| cell | runs | passed | operations | unknown outcomes | " + p50_title(runs) +
            " | p99 | max |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for (const Cell& cell : group_by_cell(runs)) {
        text += "| " + markdown_cell(cell.name) +
                (cell.negative_control ? " (negative control)" : "") + " | " +
                count_text(cell.runs.size()) + " | " + count_text(cell.passed) + " | " +
                count_text(cell.operations) + " | " + count_text(cell.unknown_outcomes) + " | " +
                duration_text(cell.latency.quantile(0.5)) + " | " +
                duration_text(cell.latency.quantile(0.99)) + " | " +
                duration_text(cell.latency.max()) + " |\n";
    }
    const auto faults = count_faults(runs);
    if (!faults.empty()) {
        text += "\nFaults that bit: ";
        std::string separator;
        for (const auto& [kind, count] : faults) {
            text +=
                separator + kind + " " + count_text(count.bit) + " of " + count_text(count.planned);
            separator = ", ";
        }
        text += "\n";
    }
    const auto found = findings(runs);
    for (std::size_t i = 0; i < found.size() && i < findings_shown_max; ++i) {
        const Finding& finding = found[i];
        text += "\n### " + finding.title + ": " + cell_name(*finding.run) + ", seed " +
                std::to_string(finding.run->seed) + "\n" + finding.sentence + "\n";
        if (!finding.witness.empty()) { text += "```\n" + joined(finding.witness) + "```\n"; }
        text += "Replay: `" + finding.run->replay + "`\n";
    }
    if (found.size() > findings_shown_max) {
        text +=
            "\n" + std::to_string(found.size() - findings_shown_max) + " more in report.html.\n";
    }
    return text;
}

}  // namespace rushproof::reports
