// Every accepted message is processed exactly once: none lost, none doubled, none that nobody sent.
// What was set aside with its reason is not lost.
#include <array>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/messages.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

std::string accepted_text(const History& history, const MessageLife& life) {
    return name_of(history, life) +
           " was accepted at t=" + format_time(history.events[life.accepted].time);
}

}  // namespace

bool has_messages(const History& history) {
    return has_event(history, {Function::enqueue, Function::process});
}

CheckResult check_accepted_is_processed(const History& history, const CheckOptions&) {
    enum Kind : std::size_t { lost, doubled, ghost };
    std::array<std::uint64_t, 3> counts{};
    std::uint64_t accepted = 0;
    std::uint64_t set_aside = 0;
    Findings findings;
    for (const MessageLife& life : message_lives(history)) {
        if (life.accepted != no_index) ++accepted;
        if (life.effects == 0 && life.set_aside != no_index) {
            ++set_aside;
            continue;
        }
        if (life.accepted != no_index && life.effects == 0) {
            const std::string sentence = accepted_text(history, life) + " and never processed";
            if (life.unknown_effects > 0) {
                findings.doubt(sentence + " for certain", {life.accepted});
            } else {
                ++counts[lost];
                findings.violation(sentence, {life.accepted});
            }
        }
        if (life.effects > 1) {
            ++counts[doubled];
            findings.violation(name_of(history, life) + " was processed " +
                                   std::to_string(life.effects) + " times",
                               {life.accepted, life.first, life.second});
        }
        if (life.effects > 0 && !life.may_be_accepted) {
            ++counts[ghost];
            findings.violation(name_of(history, life) + " was processed, and nobody enqueued it",
                               {life.first});
        }
    }
    const std::string aside =
        set_aside == 0 ? "" : ", but for " + std::to_string(set_aside) + " set aside with a reason";
    CheckResult result = findings.result(
        accepted, count_of(accepted, "accepted message") + ": each had exactly one effect" + aside);
    if (result.verdict == Verdict::fail) {
        result.sentence = "lost " + std::to_string(counts[lost]) + ", doubled " +
                          std::to_string(counts[doubled]) + ", ghosts " +
                          std::to_string(counts[ghost]) + " at " +
                          count_of(accepted, "accepted message") + ": " + result.sentence;
    }
    return result;
}

}  // namespace rushproof::simulator
