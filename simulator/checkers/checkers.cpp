#include <algorithm>
#include <array>
#include <exception>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

CheckResult unjudged(std::string reason) {
    CheckResult result;
    result.sentence = std::move(reason);
    return result;
}

CheckResult run(const Checker& checker, const History& history, const CheckOptions& options) {
    CheckResult result;
    if (!checker.applies(history)) {
        result = unjudged("the history contains nothing that this check speaks of");
    } else {
        try {
            result = checker.check(history, options);
        } catch (const std::exception& error) {
            result = unjudged(std::string("the check broke off: ") + error.what());
        }
    }
    result.name = checker.name;
    return result;
}

// fail beats unknown beats pass.
Verdict worst_of(const std::vector<CheckResult>& results) {
    const auto any = [&](Verdict verdict) {
        return std::any_of(results.begin(), results.end(),
                           [&](const CheckResult& result) { return result.verdict == verdict; });
    };
    if (any(Verdict::fail)) return Verdict::fail;
    return results.empty() || any(Verdict::unknown) ? Verdict::unknown : Verdict::pass;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    constexpr std::array<std::string_view, 3> words{"pass", "fail", "unknown"};
    return words[static_cast<std::size_t>(verdict)];
}

std::optional<Guarantee> parse_guarantee(std::string_view word) {
    constexpr std::array<std::string_view, 3> words{"exactly-once", "at-least-once",
                                                    "at-most-once"};
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<Guarantee>(found - words.begin());
}

const std::vector<Checker>& checkers() {
    static const std::vector<Checker> table{
        {"no-oversell", "no unit is promised twice: what is held and sold never exceeds the stock",
         has_reservations, check_no_oversell},
        {"conservation", "the audited books balance, and hold nothing that nobody asked for",
         has_audit, check_conservation},
        {"acknowledged-survives", "what was acknowledged is in the audited ledger", has_audit,
         check_acknowledged_survives},
        {"all-or-nothing", "a basket is held, and ended, whole and at once, or not at all",
         has_audited_baskets, check_all_or_nothing},
        {"lifecycle", "a reservation ends once, and not before its time", has_reservation_ends,
         check_lifecycle},
        {"linearizable", "some order of the operations explains every answer", has_stock_answers,
         check_linearizable},
        {"idempotent", "a repeated request has one effect and one answer", has_repeats,
         check_idempotent},
        {"read-your-writes", "who was told of an effect finds it from then on", has_finds,
         check_read_your_writes},
        {"accepted-is-processed",
         "every accepted message is processed exactly once, or set aside with a reason",
         has_messages, check_accepted_is_processed},
        {"per-key-order", "messages of one key are processed in the order in which they came",
         has_processed_messages, check_per_key_order},
        {"switch-loses-nothing",
         "a switch of the queue loses, doubles and reorders nothing, or is rolled back",
         has_switches, check_switch_loses_nothing},
        {"dual-write-divergence",
         "what one part of a composite queue lacks is known, and mended in time", has_comparison,
         check_dual_write_divergence},
        {"delivery", "messages have as many effects as was promised", has_messages, check_delivery,
         true},
        {"progress", "everybody is answered, and soon again after the last fault", has_operations,
         check_progress},
    };
    return table;
}

const Checker* find_checker(std::string_view name) {
    const auto found = std::find_if(checkers().begin(), checkers().end(),
                                    [&](const Checker& checker) { return checker.name == name; });
    return found == checkers().end() ? nullptr : &*found;
}

Result<Judgement> judge(const History& history, const std::vector<std::string>& names,
                        const CheckOptions& options) {
    for (const std::string& name : names) {
        if (find_checker(name) != nullptr) continue;
        std::string message = "there is no check \"" + name + "\": choose from";
        for (const Checker& checker : checkers()) message += " " + std::string(checker.name);
        return failure(ErrorKind::permanent, "unknown-check", message);
    }
    Judgement judgement;
    for (const Checker& checker : checkers()) {
        const bool named = std::find(names.begin(), names.end(), checker.name) != names.end();
        const bool fits = names.empty() && !checker.only_by_name && checker.applies(history);
        if (named || fits) { judgement.results.push_back(run(checker, history, options)); }
    }
    judgement.verdict = worst_of(judgement.results);
    return judgement;
}

bool has_event(const History& history, std::initializer_list<Function> functions) {
    return std::any_of(history.events.begin(), history.events.end(), [&](const Event& event) {
        return std::find(functions.begin(), functions.end(), event.function) != functions.end();
    });
}

}  // namespace rushproof::simulator
