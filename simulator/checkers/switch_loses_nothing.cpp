// A switch of the queue under load: whatever was accepted around it has one effect, in the order of
// its key; one that was rolled back leaves the old queue consumed.
#include <algorithm>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/messages.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

// "switch-queue-1 from memory to nats".
std::string title_of(const QueueSwitch& change) {
    return change.id + (change.from.empty() ? "" : " from " + change.from) + " to " + change.to;
}

class Switches {
public:
    explicit Switches(const History& history) : history_(history), lives_(message_lives(history)) {}

    CheckResult judge() {
        judge_chain();
        for (std::size_t i = 0; i < history_.switches.size(); ++i) judge_messages(i);
        for_each_disorder(lives_, [this](const MessageLife& late, const MessageLife& early) {
            const QueueSwitch* change = switch_around(late);
            if (change == nullptr) change = switch_around(early);
            if (change == nullptr) return;
            findings_.violation(title_of(*change) + ": " + describe_disorder(history_, late, early),
                                {late.enqueue, early.enqueue, late.process, early.process});
        });
        for (const QueueSwitch& change : history_.switches) {
            if (change.outcome != EventType::info) continue;
            findings_.doubt(title_of(change) + ": nobody knows how it ended" +
                            (change.error.empty() ? "" : ": " + change.error));
        }
        return findings_.result(around_, summary());
    }

private:
    // Each begins where the one before has ended.
    void judge_chain() {
        const QueueSwitch* before = nullptr;
        for (const QueueSwitch& change : history_.switches) {
            if (change.outcome == EventType::info) {
                before = nullptr;
                continue;
            }
            if (before != nullptr) compare(*before, change);
            before = &change;
        }
    }

    void compare(const QueueSwitch& before, const QueueSwitch& change) {
        const std::string& left = before.outcome == EventType::ok ? before.to : before.from;
        if (!left.empty() && !change.from.empty() && left != change.from) {
            findings_.violation(
                title_of(change) + " began elsewhere: " + title_of(before) +
                    (before.outcome == EventType::ok ? " had worked" : " was rolled back"),
                {});
        }
        if (before.epoch != 0 && change.epoch != 0 && change.epoch <= before.epoch) {
            findings_.violation(title_of(change) + " left epoch " + std::to_string(change.epoch) +
                                    ", and " + title_of(before) + " had left " +
                                    std::to_string(before.epoch),
                                {});
        }
    }

    // Until when messages belong to a switch.  After one that did not work, until the next: the old
    // queue must go on.
    std::int64_t end_of(std::size_t number) const {
        const QueueSwitch& change = history_.switches[number];
        if (change.outcome == EventType::ok) return change.ended;
        const std::size_t next = number + 1;
        return next < history_.switches.size() ? history_.switches[next].began : never;
    }

    // It was waiting, under way or accepted during the switch.  Effects are timed by a database's
    // clock.
    bool is_around(const MessageLife& life, std::size_t number) const {
        if (!life.may_be_accepted || life.sent_from > end_of(number)) return false;
        const std::int64_t earliest = history_.switches[number].began - history_.clock_bound;
        return life.done_by == never || life.done_by >= earliest;
    }

    const QueueSwitch* switch_around(const MessageLife& life) const {
        for (std::size_t i = 0; i < history_.switches.size(); ++i) {
            if (is_around(life, i)) return &history_.switches[i];
        }
        return nullptr;
    }

    void judge_messages(std::size_t number) {
        const QueueSwitch& change = history_.switches[number];
        std::uint64_t after = 0;
        std::uint64_t after_processed = 0;
        for (const MessageLife& life : lives_) {
            if (!is_around(life, number)) continue;
            ++around_;
            const bool ended = life.effects > 0 || life.set_aside != no_index;
            if (life.accepted != no_index && life.sent_from > change.ended) {
                ++after;
                if (ended) ++after_processed;
            }
            if (life.accepted != no_index && !ended) {
                const std::string sentence = title_of(change) + " lost " + name_of(history_, life) +
                                             ", accepted at t=" + format_time(life.sent_by);
                if (life.unknown_effects > 0) {
                    findings_.doubt(sentence + ", if it was not processed", {life.accepted});
                } else {
                    findings_.violation(sentence, {life.accepted});
                }
            }
            if (life.effects > 1) {
                findings_.violation(title_of(change) + " doubled " + name_of(history_, life),
                                    {life.accepted, life.first, life.second});
            }
        }
        if (change.outcome == EventType::fail && after > 0 && after_processed == 0) {
            findings_.violation(title_of(change) + " was rolled back, and nobody consumes " +
                                    (change.from.empty() ? "the old queue" : change.from) +
                                    " any more",
                                {});
        }
    }

    std::string summary() const {
        std::string text = count_of(around_, "message") + " around " +
                           count_of(history_.switches.size(), "switch", "switches") +
                           ": each had one effect, in order";
        for (const QueueSwitch& change : history_.switches) {
            text += "; " + title_of(change) + " in " + format_time(change.ended - change.began);
            text += change.outcome == EventType::fail
                        ? ", rolled back"
                        : ", " + std::to_string(change.carried_over) + " carried over";
        }
        return text;
    }

    const History& history_;
    std::vector<MessageLife> lives_;
    Findings findings_;
    std::uint64_t around_ = 0;  // counted once for each switch
};

}  // namespace

bool has_switches(const History& history) { return !history.switches.empty(); }

CheckResult check_switch_loses_nothing(const History& history, const CheckOptions&) {
    return Switches(history).judge();
}

}  // namespace rushproof::simulator
