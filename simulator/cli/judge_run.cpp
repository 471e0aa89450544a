#include "simulator/cli/judge_run.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "simulator/checkers/checker.hpp"
#include "simulator/cli/build_info.hpp"
#include "simulator/load/thresholds.hpp"

namespace rushproof::simulator {

namespace {

bool is_expected(const Scenario& scenario, const std::string& check) {
    return std::find(scenario.expected_failures.begin(), scenario.expected_failures.end(), check) !=
           scenario.expected_failures.end();
}

std::vector<CheckRecord> judge_checks(const Scenario& scenario, const History& history) {
    std::vector<CheckRecord> records;
    for (const CheckSpec& spec : scenario.checks) {
        CheckOptions options;
        options.expiry_grace = spec.grace.count();
        options.divergence_settle = spec.settle.count();
        options.divergences_max = static_cast<std::uint64_t>(spec.max);
        options.guarantee = parse_guarantee(spec.guarantee).value_or(Guarantee::exactly_once);
        options.duplicates_max = spec.max_duplicates;
        const auto judgement = judge(history, {spec.name}, options);
        CheckRecord record;
        record.name = spec.name;
        record.line = spec.location.line;
        record.expected = is_expected(scenario, spec.name);
        if (!judgement) {
            record.verdict = "unknown";
            record.sentence = judgement.error().message();
        } else {
            const CheckResult& result = judgement->results.front();
            record.verdict = to_string(result.verdict);
            record.sentence = result.sentence;
            record.operations = result.operations;
            record.witness = describe_witness(history, result);
        }
        records.push_back(std::move(record));
    }
    return records;
}

CheckRecord audit_record(const std::vector<std::string>& disagreements) {
    CheckRecord record;
    record.name = "audit";
    record.verdict = "fail";
    record.sentence = disagreements.front();
    record.witness.assign(disagreements.begin() + 1, disagreements.end());
    return record;
}

// Worst first: oversold, then by how little was left.
std::vector<LedgerLine> ledger_lines(const History& history) {
    std::map<TextId, LedgerLine> lines;
    for (const auto& [key, units] : history.initial_stock) {
        lines[key].sku = history.texts.text(key);
        lines[key].initial = units;
    }
    std::map<TextId, std::int64_t> taken;
    for (const FinalStock& stock : history.final_stock) {
        LedgerLine& line = lines[stock.key];
        line.sku = history.texts.text(stock.key);
        line.on_hand = stock.on_hand;
        line.held = stock.held;
        line.sold = stock.sold;
    }
    // What the ledger says was taken, whatever the counters say: a naive strategy loses updates.
    for (const LedgerEntry& entry : history.ledger) {
        if (entry.kind == "reserve") { taken[entry.key] += entry.quantity; }
        if (entry.kind == "release" || entry.kind == "expire") {
            taken[entry.key] -= entry.quantity;
        }
    }
    std::vector<LedgerLine> result;
    for (auto& [key, line] : lines) {
        line.oversold = std::max<std::int64_t>(0, taken[key] - line.initial);
        result.push_back(line);
    }
    std::stable_sort(result.begin(), result.end(), [](const LedgerLine& a, const LedgerLine& b) {
        return a.oversold != b.oversold ? a.oversold > b.oversold
                                        : a.on_hand - a.held < b.on_hand - b.held;
    });
    return result;
}

std::vector<SwitchRecord> switch_records(const History& history) {
    std::vector<SwitchRecord> records;
    for (const QueueSwitch& change : history.switches) {
        SwitchRecord record;
        record.id = change.id;
        record.from = change.from;
        record.to = change.to;
        record.outcome = change.outcome == EventType::ok     ? "done"
                         : change.outcome == EventType::fail ? "rolled-back"
                                                             : "unknown";
        record.epoch = change.epoch;
        record.began = change.began;
        record.duration = change.ended - change.began;
        record.carried_over = change.carried_over;
        record.error = change.error;
        records.push_back(std::move(record));
    }
    return records;
}

bool has_latency_thresholds(const Scenario& scenario) {
    return std::any_of(scenario.thresholds.begin(), scenario.thresholds.end(), [](const auto& t) {
        return t.metric.ends_with(".latency") || t.metric.ends_with(".service-time");
    });
}

// A fault that the author put on the timeline must have done something; the swarm may miss.
bool timeline_fault_unverified(const Scenario& scenario, const RunEvidence& evidence) {
    return std::any_of(
        evidence.faults.begin(), evidence.faults.end(), [&](const FaultRecord& fault) {
            const bool on_timeline =
                std::any_of(scenario.timeline.begin(), scenario.timeline.end(),
                            [&](const TimelineEntry& entry) { return entry.id == fault.id; });
            return on_timeline && fault.evidence.empty();
        });
}

ExitCode exit_code(const Scenario& scenario, const RunEvidence& evidence, const RunRecord& record) {
    ExitCode code = ExitCode::pass;
    for (const CheckRecord& check : record.checks) {
        const bool passed = check.verdict == "pass";
        if (check.expected ? passed : check.verdict == "fail") {
            code = worse(code, ExitCode::violated);
        } else if (!check.expected && check.verdict == "unknown") {
            code = worse(code, ExitCode::unknown);
        }
    }
    if (!evidence.troubles.empty()) { code = worse(code, ExitCode::unknown); }
    if (timeline_fault_unverified(scenario, evidence)) {
        code = worse(code, ExitCode::fault_unverified);
    }
    if (!evidence.doubts.empty() && has_latency_thresholds(scenario)) {
        code = worse(code, ExitCode::untrustworthy);
    }
    for (const ThresholdRecord& threshold : record.thresholds) {
        if (threshold.verdict == "fail") { code = worse(code, ExitCode::thresholds_missed); }
    }
    return code;
}

std::string shell_quoted(const std::string& word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+%";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) { return word; }
    std::string quoted = "'";
    for (const char c : word) { quoted += c == '\'' ? std::string("'\\''") : std::string(1, c); }
    return quoted + "'";
}

std::string verdict_of(ExitCode code) {
    switch (code) {
        case ExitCode::pass: return "pass";
        case ExitCode::unknown: return "unknown";
        case ExitCode::untrustworthy:
        case ExitCode::fault_unverified: return "invalid";
        default: return "fail";
    }
}

}  // namespace

ExitCode worse(ExitCode a, ExitCode b) {
    constexpr std::array<ExitCode, 8> order = {ExitCode::pass,
                                               ExitCode::thresholds_missed,
                                               ExitCode::unknown,
                                               ExitCode::untrustworthy,
                                               ExitCode::fault_unverified,
                                               ExitCode::violated,
                                               ExitCode::invalid_scenario,
                                               ExitCode::interrupted};
    const auto rank = [&](ExitCode code) { return std::find(order.begin(), order.end(), code); };
    return rank(a) < rank(b) ? b : a;
}

RunRecord judge_run(const Scenario& scenario, std::uint64_t seed, const RunEvidence& evidence,
                    const std::vector<std::string>& overrides) {
    RunRecord record;
    record.scenario = scenario.file;
    record.title = scenario.title;
    record.description = scenario.description;
    record.seed = seed;
    record.world = evidence.world;
    record.cell = scenario.cell;
    record.trace_hash = evidence.trace_hash;
    record.build = build_text();
    // Without a history there is nothing to judge, and saying so once is enough.
    if (!evidence.history.events.empty()) {
        record.checks = judge_checks(scenario, evidence.history);
    }
    if (!evidence.troubles.empty()) {
        CheckRecord trouble;
        trouble.name = "run";
        trouble.verdict = "unknown";
        trouble.sentence = evidence.troubles.front();
        record.checks.insert(record.checks.begin(), std::move(trouble));
    }
    if (!evidence.disagreements.empty()) {
        record.checks.push_back(audit_record(evidence.disagreements));
    }
    record.thresholds =
        evaluate_thresholds(scenario, evidence.load, evidence.faults, evidence.doubts);
    record.faults = evidence.faults;
    record.switches = switch_records(evidence.history);
    record.ledger = ledger_lines(evidence.history);
    record.metrics = summarize(evidence.load, scenario.duration);
    record.metrics.wall_time = evidence.wall_time;
    record.metrics.scheduler_steps = evidence.steps;
    record.notes = evidence.notes;
    for (std::size_t i = 1; i < evidence.troubles.size(); ++i) {
        record.notes.push_back(evidence.troubles[i]);
    }
    record.latency_verdict = "judged";
    if (!evidence.doubts.empty()) {
        record.latency_verdict = "not judged: ";
        for (const auto& doubt : evidence.doubts) {
            record.latency_verdict += (&doubt == evidence.doubts.data() ? "" : "; ") + doubt;
        }
        record.notes.push_back("latency " + record.latency_verdict);
    }
    const ExitCode code = exit_code(scenario, evidence, record);
    record.exit_code = static_cast<int>(code);
    record.verdict = verdict_of(code);
    record.overrides = overrides;
    record.replay = replay_line(scenario, seed, evidence.world, overrides);
    return record;
}

std::string replay_line(const Scenario& scenario, std::uint64_t seed, const std::string& world,
                        const std::vector<std::string>& overrides) {
    std::string line =
        "rushproof run " + scenario.file + " --mode " + world + " --seed " + std::to_string(seed);
    for (const auto& [key, value] : scenario.cell) { line += " --only " + key + "=" + value; }
    for (const auto& override : overrides) {
        // The mode and the seeds are there already.
        if (override.starts_with("mode=") || override.starts_with("seeds=")) { continue; }
        line += " --set " + shell_quoted(override);
    }
    return line;
}

std::string build_text() {
    return "rushproof " RUSHPROOF_VERSION ", " RUSHPROOF_COMPILER ", commit " RUSHPROOF_COMMIT;
}

}  // namespace rushproof::simulator
