#include "reports/summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace rushproof::reports {

namespace {

// From harmless to worst.
int rank(const std::string& verdict) {
    constexpr std::array<const char*, 4> order = {"pass", "invalid", "unknown", "fail"};
    const auto* found = std::find(order.begin(), order.end(), verdict);
    return found == order.end() ? 2 : static_cast<int>(found - order.begin());
}

std::string plural(std::size_t count, const char* one, const char* many) {
    return count_text(count) + " " + (count == 1 ? one : many);
}

// The first thing to look at.
std::string why_not_passed(const RunRecord& run) {
    for (const auto& check : run.checks) {
        if (check.verdict != "pass" && !check.expected) {
            return check.name + ": " + check.sentence;
        }
        if (check.verdict == "pass" && check.expected) {
            return check.name + " passed and must not";
        }
    }
    for (const auto& threshold : run.thresholds) {
        if (threshold.verdict == "fail") {
            return "missed " + threshold.metric + " " + threshold.expression;
        }
    }
    if (run.latency_verdict != "judged") { return "latency " + run.latency_verdict; }
    for (const auto& fault : run.faults) {
        if (fault.evidence.empty()) { return fault.id + " left no evidence that it did anything"; }
    }
    return run.verdict;
}

}  // namespace

std::string cell_name(const RunRecord& run) {
    std::string name;
    for (const auto& [key, value] : run.cell) {
        if (!name.empty()) { name += ", "; }
        name += value;
    }
    return name.empty() ? run.title : name;
}

bool passed(const RunRecord& run) { return run.verdict == "pass"; }

std::vector<Cell> group_by_cell(const std::vector<RunRecord>& runs) {
    std::vector<Cell> cells;
    for (const RunRecord& run : runs) {
        const std::string name = cell_name(run) + (run.world == "live" ? " (live)" : "");
        auto cell = std::find_if(cells.begin(), cells.end(),
                                 [&](const Cell& known) { return known.name == name; });
        if (cell == cells.end()) {
            cells.push_back(Cell());
            cell = cells.end() - 1;
            cell->name = name;
        }
        cell->runs.push_back(&run);
        ++(passed(run) ? cell->passed : cell->failed);
        for (const auto& metrics : run.metrics.operations) {
            cell->operations += metrics.succeeded + metrics.refused;
            cell->unknown_outcomes += metrics.unknown;
        }
        if (const auto* main = main_operation(run)) { cell->latency.merge(main->latency); }
        for (const auto& check : run.checks) { cell->negative_control |= check.expected; }
    }
    return cells;
}

const simulator::OperationMetrics* main_operation(const RunRecord& run) {
    const simulator::OperationMetrics* main = nullptr;
    for (const auto& metrics : run.metrics.operations) {
        const bool more = main == nullptr || metrics.latency.count() > main->latency.count();
        if (metrics.operation == "reserve" && metrics.latency.count() > 0) { return &metrics; }
        if (more && metrics.latency.count() > 0) { main = &metrics; }
    }
    return main;
}

std::string p50_title(const std::vector<RunRecord>& runs) {
    std::string name;
    for (const RunRecord& run : runs) {
        const auto* main = main_operation(run);
        if (main == nullptr) { continue; }
        if (!name.empty() && name != main->operation) { return "p50"; }
        name = main->operation;
    }
    return name.empty() ? "p50" : name + " p50";
}

std::map<std::string, FaultCount> count_faults(const std::vector<RunRecord>& runs) {
    std::map<std::string, FaultCount> counts;
    for (const RunRecord& run : runs) {
        for (const auto& fault : run.faults) {
            FaultCount& count = counts[fault.kind];
            ++count.planned;
            count.bit += fault.began >= 0 && !fault.evidence.empty() ? 1 : 0;
        }
    }
    return counts;
}

std::string worst_verdict(const std::vector<RunRecord>& runs) {
    std::string worst = "pass";
    for (const RunRecord& run : runs) {
        if (rank(run.verdict) > rank(worst)) { worst = run.verdict; }
    }
    return runs.empty() ? "unknown" : worst;
}

std::string headline(const std::vector<RunRecord>& runs) {
    std::size_t operations = 0;
    std::size_t failed = 0;
    std::size_t controls = 0;
    for (const Cell& cell : group_by_cell(runs)) {
        operations += cell.operations;
        failed += cell.failed;
        controls += cell.negative_control ? cell.passed : 0;
    }
    const std::string scale =
        plural(runs.size(), "run", "runs") + ", " + plural(operations, "operation", "operations");
    if (failed > 0) {
        const auto first =
            std::find_if(runs.begin(), runs.end(), [](const auto& run) { return !passed(run); });
        const std::string why = why_not_passed(*first);
        std::string word = worst_verdict(runs);
        std::transform(word.begin(), word.end(), word.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        return word + ": " + count_text(failed) + " of " + scale + ". First: " + cell_name(*first) +
               ", seed " + std::to_string(first->seed) + ": " + why;
    }
    std::string sentence = "PASS: " + scale + ", no promise broken";
    if (controls > 0) {
        sentence += "; the negative control failed as it must in " +
                    plural(controls, "run", "runs") + ", so the judge can see";
    }
    return sentence + ".";
}

std::string duration_text(std::int64_t ns) {
    struct Unit {
        double size;
        const char* name;
    };
    constexpr std::array<Unit, 4> units = {{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
    const auto value = static_cast<double>(ns);
    for (const Unit& unit : units) {
        if (value >= unit.size || unit.size == 1) {
            const double scaled = value / unit.size;
            std::array<char, 32> text{};
            const int digits = scaled >= 100 || unit.size == 1 ? 0 : scaled >= 10 ? 1 : 2;
            std::snprintf(text.data(), text.size(), "%.*f %s", digits, scaled, unit.name);
            return text.data();
        }
    }
    return "0 ns";
}

std::string count_text(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return digits;
}

}  // namespace rushproof::reports
