// If one message of a key was accepted before another was sent, it is processed first.  Judged by
// the first effect of each message; messages that were on their way together may go in any order.
#include <set>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/messages.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {

bool has_processed_messages(const History& history) {
    return has_event(history, {Function::enqueue}) && has_event(history, {Function::process});
}

CheckResult check_per_key_order(const History& history, const CheckOptions&) {
    const std::vector<MessageLife> lives = message_lives(history);
    std::set<TextId> keys;
    std::uint64_t messages = 0;
    for (const MessageLife& life : lives) {
        if (!life.may_be_accepted || life.process == no_index) continue;
        keys.insert(life.key);
        ++messages;
    }
    Findings findings;
    for_each_disorder(lives, [&](const MessageLife& late, const MessageLife& early) {
        findings.violation(describe_disorder(history, late, early),
                           {late.enqueue, early.enqueue, late.process, early.process});
    });
    return findings.result(messages, count_of(messages, "message") + " of " +
                                         count_of(keys.size(), "key") + " kept their order");
}

}  // namespace rushproof::simulator
