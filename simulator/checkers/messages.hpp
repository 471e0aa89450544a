// What became of each message of a history, put together from its enqueues and its effects.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "simulator/checkers/operations.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

struct MessageLife {
    TextId key = no_text;
    bool may_be_accepted = false;      // it was enqueued, or nobody knows
    std::int64_t sent_from = never;    // enqueue: not before
    std::int64_t sent_by = never;      // ... and not after; never, if that is not known
    std::uint32_t enqueue = no_index;  // events: of the enqueue that was accepted, or may have been
    std::uint32_t accepted = no_index;

    std::uint32_t effects = 0;
    std::uint32_t unknown_effects = 0;
    std::int64_t done_from = never;  // the first effect: not before
    std::int64_t done_by = never;    // ... and not after
    std::uint32_t process = no_index;
    std::uint32_t first = no_index;  // events of the first two effects, in the order of the history
    std::uint32_t second = no_index;
    std::uint32_t set_aside = no_index;  // an effect that failed for good
};

// By the number of the message's text; texts that are no messages have empty lives.
std::vector<MessageLife> message_lives(const History& history);

// Calls visit(later, earlier) for each message that had its effect after a message of the same key
// that was sent when it had been accepted already.
using VisitDisorder = std::function<void(const MessageLife& late, const MessageLife& early)>;
void for_each_disorder(const std::vector<MessageLife>& lives, const VisitDisorder& visit);

const std::string& name_of(const History& history, const MessageLife& life);

// "key k: m-1 was accepted at t=..., m-2 was sent later, and was processed first".
std::string describe_disorder(const History& history, const MessageLife& late,
                              const MessageLife& early);

}  // namespace rushproof::simulator
