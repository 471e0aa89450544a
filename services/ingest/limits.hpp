// The bounds of ingest; those of messages stand in core/runtime/data_message.hpp.
#pragma once
#include <chrono>
#include <cstdint>

#include "core/runtime/retry.hpp"

namespace rushproof::ingest::limits {

// One part in so many of the time left stays here, to answer for a queue that is late.
inline constexpr std::int64_t deadline_parts = 20;
static_assert(deadline_parts > 1);

// Between tries to open a broker's queue, which have no end; `attempts` is not asked.
inline constexpr RetryPolicy retry_policy{1, std::chrono::milliseconds(5),
                                          std::chrono::milliseconds(1'000), 2};
inline constexpr auto open_timeout = std::chrono::seconds(5);

}  // namespace rushproof::ingest::limits
