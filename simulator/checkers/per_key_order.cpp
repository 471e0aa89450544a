// If one message of a key was accepted before another was sent, it is processed first.  Judged by
// the first effect of each message; messages that were on their way together may go in any order.
#include <algorithm>
#include <tuple>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

struct Message {
    TextId key = no_text;
    bool enqueued = false;
    std::int64_t sent_from = never;  // enqueue: not before
    std::int64_t sent_by = never;    // ... and not after; never, if that is not known
    std::int64_t done_from = never;  // process: the same
    std::int64_t done_by = never;
    std::uint32_t enqueue = no_index;  // events
    std::uint32_t process = no_index;
};

std::vector<Message> collect(const History& history) {
    std::vector<Message> messages(history.texts.size());
    for_each_operation(history, [&](const Operation& operation) {
        const Event& event = history.events[operation.invoked];
        const bool happened = operation.outcome == Outcome::ok;
        if (event.subject == no_text) return;
        Message& message = messages[event.subject];
        if (event.function == Function::enqueue &&
            (happened || operation.outcome == Outcome::unknown)) {
            message.enqueued = true;
            message.key = event.key;
            message.sent_from = std::min(message.sent_from, operation.call);
            message.sent_by = std::min(message.sent_by, operation.returned);
            message.enqueue = operation.shown();
        }
        if (event.function == Function::process && happened &&
            operation.returned < message.done_by) {
            message.done_from = operation.call;
            message.done_by = operation.returned;
            message.process = operation.shown();
        }
    });
    std::erase_if(messages, [](const Message& message) {
        return !message.enqueued || message.process == no_index;
    });
    return messages;
}

// Of one key.  Going through the messages by when their processing began, the ones that were done
// before are remembered by the latest that was sent.
void judge_key(const History& history, std::vector<Message> messages, Findings& findings) {
    std::vector<Message> by_end = messages;
    std::sort(messages.begin(), messages.end(), [](const Message& a, const Message& b) {
        return std::tie(a.done_from, a.process) < std::tie(b.done_from, b.process);
    });
    std::sort(by_end.begin(), by_end.end(), [](const Message& a, const Message& b) {
        return std::tie(a.done_by, a.process) < std::tie(b.done_by, b.process);
    });
    const Message* latest_sent = nullptr;
    auto done = by_end.begin();
    for (const Message& message : messages) {
        for (; done != by_end.end() && done->done_by < message.done_from; ++done) {
            if (latest_sent == nullptr || done->sent_from > latest_sent->sent_from) {
                latest_sent = &*done;
            }
        }
        if (latest_sent == nullptr || message.sent_by >= latest_sent->sent_from) continue;
        const auto name = [&](const Message& of) {
            return history.texts.text(history.events[of.enqueue].subject);
        };
        findings.violation(
            "key " + (message.key == no_text ? "(none)" : history.texts.text(message.key)) + ": " +
                name(message) + " was accepted at t=" + format_time(message.sent_by) + ", " +
                name(*latest_sent) + " was sent later, and was processed first",
            {message.enqueue, latest_sent->enqueue, message.process, latest_sent->process});
    }
}

}  // namespace

bool has_processed_messages(const History& history) {
    return has_event(history, {Function::enqueue}) && has_event(history, {Function::process});
}

CheckResult check_per_key_order(const History& history, const CheckOptions&) {
    std::vector<Message> messages = collect(history);
    std::sort(messages.begin(), messages.end(), [](const Message& a, const Message& b) {
        return std::tie(a.key, a.enqueue) < std::tie(b.key, b.enqueue);
    });
    Findings findings;
    std::uint64_t keys = 0;
    for (auto first = messages.begin(); first != messages.end(); ++keys) {
        const auto last = std::find_if(first, messages.end(), [&](const Message& message) {
            return message.key != first->key;
        });
        judge_key(history, {first, last}, findings);
        first = last;
    }
    return findings.result(messages.size(), count_of(messages.size(), "message") + " of " +
                                                count_of(keys, "key") + " kept their order");
}

}  // namespace rushproof::simulator
