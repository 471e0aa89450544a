// Invocations and completions of a history, put together.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

// refused: did not happen for lack of stock, and saw that lack.  failed: did not happen.
enum class Outcome : std::uint8_t { ok, refused, failed, unknown };

struct Operation {
    std::uint32_t invoked = 0;           // index of its invocation; of its `ok` if nobody asked
    std::uint32_t completed = no_index;  // index of its completion, if it has one
    Outcome outcome = Outcome::unknown;
    std::int64_t call = 0;          // it took effect at or after this time
    std::int64_t returned = never;  // and, if it did, at or before this one; never if unknown

    // The event that tells most about it.
    std::uint32_t shown() const { return completed == no_index ? invoked : completed; }
};

// Calls visit(operation) in order of completion, then for those without one in order of invocation.
template <class Visit>
void for_each_operation(const History& history, Visit visit) {
    std::vector<std::uint32_t> under_way(history.texts.size(), no_index);
    const auto unfinished = [&](std::uint32_t index) {
        Operation operation;
        operation.invoked = index;
        operation.call = history.events[index].time;
        visit(operation);
    };
    for (std::uint32_t i = 0; i < history.events.size(); ++i) {
        const Event& event = history.events[i];
        std::uint32_t& invoked = under_way[event.process];
        if (event.type == EventType::invoke) {
            if (invoked != no_index) unfinished(invoked);
            invoked = i;
            continue;
        }
        Operation operation;
        operation.invoked = invoked == no_index ? i : invoked;
        operation.completed = i;
        operation.call = history.events[operation.invoked].time;
        if (event.type == EventType::ok) operation.outcome = Outcome::ok;
        if (event.type == EventType::fail) {
            operation.outcome =
                event.failure == Failure::insufficient ? Outcome::refused : Outcome::failed;
        }
        if (event.type != EventType::info) operation.returned = event.time;
        visit(operation);
        invoked = no_index;
    }
    for (std::uint32_t i = 0; i < history.events.size(); ++i) {
        const Event& event = history.events[i];
        if (event.type == EventType::invoke && under_way[event.process] == i) unfinished(i);
    }
}

// Calls visit(key) for the SKU or key that an event is about, or for each SKU of its basket.
template <class Visit>
void for_each_key(const History& history, const Event& event, Visit visit) {
    if (event.basket == 0) {
        if (event.key != no_text) visit(event.key);
        return;
    }
    for (const BasketLine& line : history.baskets[event.basket - 1]) visit(line.key);
}

}  // namespace rushproof::simulator
