// The bounds of ingest; those of messages stand in core/runtime/data_message.hpp.
#pragma once
#include <chrono>
#include <cstdint>

namespace rushproof::ingest::limits {

// One part in so many of the time left stays here, to answer for a queue that is late.
inline constexpr std::int64_t deadline_parts = 20;
static_assert(deadline_parts > 1);

// How long it acts on a route without hearing of it again: shorter than the processors wait for a
// publisher that is gone.
inline constexpr auto lease = std::chrono::milliseconds(2'500);

}  // namespace rushproof::ingest::limits
