// Every accepted message is processed exactly once: none lost, none doubled, none that nobody sent.
#include <array>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

struct Message {
    std::uint32_t accepted = no_index;  // event
    bool may_be_accepted = false;
    std::uint32_t processed = no_index;  // event of the first effect
    std::uint32_t again = no_index;      // ... and of the second
    std::uint32_t effects = 0;
    std::uint32_t unknown_effects = 0;
};

std::vector<Message> collect(const History& history) {
    std::vector<Message> messages(history.texts.size());
    for_each_operation(history, [&](const Operation& operation) {
        const Event& event = history.events[operation.invoked];
        if (event.subject == no_text) return;
        Message& message = messages[event.subject];
        const bool happened = operation.outcome == Outcome::ok;
        const bool unknown = operation.outcome == Outcome::unknown;
        if (event.function == Function::enqueue) {
            if (happened) message.accepted = operation.shown();
            if (happened || unknown) message.may_be_accepted = true;
        } else if (event.function == Function::process && happened) {
            if (message.effects == 0) message.processed = operation.shown();
            if (message.effects == 1) message.again = operation.shown();
            ++message.effects;
        } else if (event.function == Function::process && unknown) {
            ++message.unknown_effects;
        }
    });
    return messages;
}

}  // namespace

bool has_messages(const History& history) {
    return has_event(history, {Function::enqueue, Function::process});
}

CheckResult check_accepted_is_processed(const History& history, const CheckOptions&) {
    const std::vector<Message> messages = collect(history);
    enum Kind : std::size_t { lost, doubled, ghost };
    std::array<std::uint64_t, 3> counts{};
    std::uint64_t accepted = 0;
    Findings findings;
    for (TextId id = 0; id < messages.size(); ++id) {
        const Message& message = messages[id];
        const std::string& name = history.texts.text(id);
        if (message.accepted != no_index) ++accepted;
        if (message.accepted != no_index && message.effects == 0) {
            const std::string sentence =
                name + " was accepted at t=" + format_time(history.events[message.accepted].time) +
                " and never processed";
            if (message.unknown_effects > 0) {
                findings.doubt(sentence + " for certain", {message.accepted});
            } else {
                ++counts[lost];
                findings.violation(sentence, {message.accepted});
            }
        }
        if (message.effects > 1) {
            ++counts[doubled];
            findings.violation(
                name + " was processed " + std::to_string(message.effects) + " times",
                {message.accepted, message.processed, message.again});
        }
        if (message.effects > 0 && !message.may_be_accepted) {
            ++counts[ghost];
            findings.violation(name + " was processed, and nobody enqueued it",
                               {message.processed});
        }
    }
    CheckResult result = findings.result(
        accepted, count_of(accepted, "accepted message") + ": each had exactly one effect");
    if (result.verdict == Verdict::fail) {
        result.sentence = "lost " + std::to_string(counts[lost]) + ", doubled " +
                          std::to_string(counts[doubled]) + ", ghosts " +
                          std::to_string(counts[ghost]) + " at " +
                          count_of(accepted, "accepted message") + ": " + result.sentence;
    }
    return result;
}

}  // namespace rushproof::simulator
