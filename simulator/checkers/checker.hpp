// A checker judges one promise over one history.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Unknown, and a checker that gave up, never count as pass.
enum class Verdict : std::uint8_t { pass, fail, unknown };
std::string_view to_string(Verdict verdict);

struct CheckResult {
    std::string name;
    Verdict verdict = Verdict::unknown;
    std::string sentence;  // the finding in words, with numbers and times
    // The few events that show it: indexes into History::events, ascending.
    std::vector<std::size_t> witness;
    std::uint64_t operations = 0;  // how many it examined
    std::uint64_t violations = 0;  // how many separate violations it counted
};

// How often a message that was accepted has its effect.
enum class Guarantee : std::uint8_t { exactly_once, at_least_once, at_most_once };
std::optional<Guarantee> parse_guarantee(std::string_view word);  // "at-least-once"

struct CheckOptions {
    // Work budget of the frontier search, counted in explanations that it looks at; beyond it the
    // verdict is unknown.
    std::uint64_t steps_max = 200'000'000;
    std::int64_t expiry_grace = 0;                 // ns
    std::int64_t progress_bound = 10'000'000'000;  // ns after the last fault: answers come again
    std::int64_t divergence_settle = 0;            // ns that a divergence may be open
    std::uint64_t divergences_max = 0;             // ... and how many may be for longer
    Guarantee guarantee = Guarantee::exactly_once;
    std::uint64_t duplicates_max = 0;  // millionths of the messages, where they are allowed
};

// One line per promise, in the order in which reports show them.
struct Checker {
    std::string_view name;     // "no-oversell"
    std::string_view promise;  // one sentence, for --help and reports
    // True when the history contains what the promise speaks of.
    bool (*applies)(const History&);
    CheckResult (*check)(const History&, const CheckOptions&);
    bool only_by_name = false;  // it says nothing new without its options
};

const std::vector<Checker>& checkers();
const Checker* find_checker(std::string_view name);

struct Judgement {
    Verdict verdict = Verdict::unknown;  // fail beats unknown beats pass; of no checks: unknown
    std::vector<CheckResult> results;
};

// Runs the named checks, or with no names every check that applies to the history, but for those
// that must be named.  A named check
// that does not apply, and one that throws, is unknown and says why.  A name that is no check is an
// error that says which names are.
Result<Judgement> judge(const History& history, const std::vector<std::string>& names,
                        const CheckOptions& options);

// One event in words, a completion with its invocation:
// "t=12.420 s to 12.431 s  client 17  reserve 2 of SKU-1 -> ok (r-17)".
std::string describe_event(const History& history, std::size_t index);
std::vector<std::string> describe_witness(const History& history, const CheckResult& result);

}  // namespace rushproof::simulator
