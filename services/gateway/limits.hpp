// The bounds of gateway; texts and quantities that it passes on are bounded by their owner.
#pragma once
#include <cstdint>

namespace rushproof::gateway::limits {

// One part in so many of the time left stays here, to answer for a callee that is late.
inline constexpr std::int64_t deadline_parts = 20;
static_assert(deadline_parts > 1);

// Items of a list that several shards give, unless its request says how many.
inline constexpr std::int64_t page = 100;

}  // namespace rushproof::gateway::limits
