// The bounds of gateway; texts and quantities that it passes on are bounded by their owner.
#pragma once
#include <chrono>
#include <cstdint>

namespace rushproof::gateway::limits {

// One part in so many of the time left stays here, to answer for a callee that is late.
inline constexpr std::int64_t deadline_parts = 20;
static_assert(deadline_parts > 1);

// Items of a list that several shards give, unless its request says how many.
inline constexpr std::int64_t page = 100;

// How long a stream of events waits for a message's outcome, and for how long it may be silent: a
// client that has gone is noticed by then, and so is a stop.
inline constexpr auto events = std::chrono::minutes(5);
inline constexpr auto events_silence = std::chrono::seconds(1);

}  // namespace rushproof::gateway::limits
