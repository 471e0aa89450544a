// What a person sees at the end of a run; readable without colour, at most 100 columns where the
// content allows.
#include <algorithm>
#include <map>

#include "reports/report.hpp"
#include "reports/summary.hpp"
#include "reports/text.hpp"

namespace rushproof::reports {

namespace {

using Table = std::vector<std::vector<std::string>>;

// The first column to the left, the others to the right.
std::string drawn(const Table& table) {
    std::vector<std::size_t> widths;
    for (const auto& row : table) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const auto& row : table) {
        std::string line = "  ";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string pad(widths[i] - row[i].size(), ' ');
            line += i == 0 ? row[i] + pad : "  " + pad + row[i];
        }
        while (!line.empty() && line.back() == ' ') { line.pop_back(); }
        text += line + "\n";
    }
    return text;
}

// "pass", "FAIL", "fail (expected)"; the worst of a check over the runs of a cell.
std::string check_word(const Cell& cell, const std::string& name) {
    std::size_t bad = 0;
    std::size_t seen = 0;
    bool expected = false;
    bool unknown = false;
    for (const RunRecord* run : cell.runs) {
        for (const auto& check : run->checks) {
            if (check.name != name) { continue; }
            ++seen;
            expected |= check.expected;
            bad += check.verdict != "pass" ? 1 : 0;
            unknown |= check.verdict == "unknown";
        }
    }
    if (seen == 0) { return "-"; }
    if (bad == 0) { return expected ? "BLIND" : "pass"; }
    std::string word = expected ? "caught" : unknown ? "UNKNOWN" : "FAIL";
    if (seen > 1) { word += " " + std::to_string(bad) + "/" + std::to_string(seen); }
    return word;
}

std::vector<std::string> check_names(const std::vector<RunRecord>& runs) {
    std::vector<std::string> names;
    for (const RunRecord& run : runs) {
        for (const auto& check : run.checks) {
            if (std::find(names.begin(), names.end(), check.name) == names.end()) {
                names.push_back(check.name);
            }
        }
    }
    return names;
}

// A run without a matrix is named by its title, which may be long and stands above the table.
std::string clipped(const std::string& name) {
    constexpr std::size_t longest = 32;
    return name.size() <= longest ? name : name.substr(0, longest - 3) + "...";
}

std::string verdict_table(const std::vector<RunRecord>& runs) {
    const auto names = check_names(runs);
    Table table{{"", "runs", "operations", "unknown", "p50", "p99"}};
    for (const auto& name : names) { table[0].push_back(name); }
    for (const Cell& cell : group_by_cell(runs)) {
        std::vector<std::string> row{clipped(cell.name),
                                     count_text(cell.runs.size()),
                                     count_text(cell.operations),
                                     count_text(cell.unknown_outcomes),
                                     duration_text(cell.latency.quantile(0.5)),
                                     duration_text(cell.latency.quantile(0.99))};
        for (const auto& name : names) { row.push_back(check_word(cell, name)); }
        table.push_back(std::move(row));
    }
    return drawn(table);
}

std::string threshold_lines(const std::vector<RunRecord>& runs) {
    std::size_t passed_count = 0;
    std::size_t failed_count = 0;
    std::size_t unjudged = 0;
    for (const RunRecord& run : runs) {
        for (const auto& threshold : run.thresholds) {
            ++(threshold.verdict == "pass"   ? passed_count
               : threshold.verdict == "fail" ? failed_count
                                             : unjudged);
        }
    }
    if (passed_count + failed_count + unjudged == 0) { return {}; }
    std::string text = "  thresholds: " + std::to_string(passed_count) + " held, " +
                       std::to_string(failed_count) + " missed";
    if (unjudged > 0) { text += ", " + std::to_string(unjudged) + " not judged"; }
    return text + "\n";
}

// "  switches of the queue: 12 done, 1 rolled back; longest 1.2 s, 345 messages carried over".
std::string switch_line(const std::vector<RunRecord>& runs) {
    std::map<std::string, std::size_t> outcomes;
    std::int64_t longest = 0;
    std::int64_t carried_over = 0;
    for (const RunRecord& run : runs) {
        for (const auto& change : run.switches) {
            ++outcomes[change.outcome];
            longest = std::max(longest, change.duration);
            carried_over += change.carried_over;
        }
    }
    if (outcomes.empty()) { return {}; }
    std::string counts;
    for (const auto& [outcome, count] : outcomes) {
        counts += (counts.empty() ? " " : ", ") + count_text(count) + " " + outcome;
    }
    return "  switches of the queue:" + counts + "; longest " + duration_text(longest) + ", " +
           count_text(static_cast<std::uint64_t>(carried_over)) + " messages carried over\n";
}

constexpr std::size_t findings_shown_max = 5;

}  // namespace

std::string terminal_report(const std::vector<RunRecord>& runs) {
    std::string text = verdict_table(runs) + "\n" + threshold_lines(runs);
    const auto faults = count_faults(runs);
    if (!faults.empty()) {
        text += "  faults that bit:";
        for (const auto& [kind, count] : faults) {
            text += " " + kind + " " + count_text(count.bit) + "/" + count_text(count.planned);
        }
        text += "\n";
    }
    text += switch_line(runs);
    // A negative control shows its witness too: seeing it is why it runs.
    for (const Cell& cell : group_by_cell(runs)) {
        if (!cell.negative_control || cell.passed == 0) { continue; }
        for (const auto& check : cell.runs.front()->checks) {
            if (!check.expected || check.verdict == "pass") { continue; }
            text += "\nNegative control " + cell.name + ", caught by " + check.name + ":\n  " +
                    check.sentence + "\n";
            for (const auto& line : check.witness) { text += "    " + line + "\n"; }
        }
    }
    const auto found = findings(runs);
    for (std::size_t i = 0; i < found.size() && i < findings_shown_max; ++i) {
        const Finding& finding = found[i];
        text += "\n" + finding.title + " (" + cell_name(*finding.run) + ", seed " +
                std::to_string(finding.run->seed) + ")\n  " + finding.sentence + "\n";
        for (const auto& line : finding.witness) { text += "    " + line + "\n"; }
        text += "  replay: " + finding.run->replay + "\n";
    }
    if (found.size() > findings_shown_max) {
        text += "\n" + std::to_string(found.size() - findings_shown_max) + " more in the report.\n";
    }
    std::vector<std::string> notes;
    for (const RunRecord& run : runs) {
        for (const auto& note : run.notes) {
            if (std::find(notes.begin(), notes.end(), note) == notes.end()) {
                notes.push_back(note);
            }
        }
    }
    if (!notes.empty()) { text += "\n"; }
    for (const auto& note : notes) { text += "Note: " + note + "\n"; }
    return text + "\n" + headline(runs) + "\n";
}

}  // namespace rushproof::reports
