// Messages have as many effects as was promised: at least one, at most one, or exactly one.
#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/messages.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {

CheckResult check_delivery(const History& history, const CheckOptions& options) {
    constexpr std::uint64_t million = 1'000'000;
    const bool may_lose = options.guarantee == Guarantee::at_most_once;
    const bool may_double = options.guarantee == Guarantee::at_least_once;
    std::uint64_t accepted = 0;
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::uint64_t processed = 0;
    Findings findings;
    const MessageLife* last_doubled = nullptr;
    const std::vector<MessageLife> lives = message_lives(history);
    for (const MessageLife& life : lives) {
        if (life.accepted != no_index) ++accepted;
        if (life.effects > 0) ++processed;
        const bool is_lost = life.accepted != no_index && life.effects == 0 &&
                             life.unknown_effects == 0 && life.set_aside == no_index;
        if (is_lost) ++lost;
        if (is_lost && !may_lose) {
            findings.violation(name_of(history, life) + " was accepted and never processed",
                               {life.accepted});
        }
        if (life.effects < 2) continue;
        ++doubled;
        last_doubled = &life;
        if (may_double) continue;
        findings.violation(
            name_of(history, life) + " was processed " + std::to_string(life.effects) + " times",
            {life.accepted, life.first, life.second});
    }
    if (may_double && doubled * million > options.duplicates_max * processed) {
        findings.violation(std::to_string(doubled) + " of " + count_of(processed, "message") +
                               " were processed more than once, " +
                               name_of(history, *last_doubled) + " the last",
                           {last_doubled->accepted, last_doubled->first, last_doubled->second});
    }
    return findings.result(accepted, count_of(accepted, "accepted message") + ": " +
                                         std::to_string(lost) + " lost, " +
                                         std::to_string(doubled) + " doubled");
}

}  // namespace rushproof::simulator
