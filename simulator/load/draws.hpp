// Draws of the distributions that scenario files name.  Integer arithmetic, so that every compiler
// agrees; floating-point parameters are rounded once, to multiples of 2^-32.
#pragma once
#include <cstdint>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Never negative; at most a day.
Duration draw_duration(const DurationDraw& draw, RandomStream& stream);
std::int64_t draw_number(const NumberDraw& draw, RandomStream& stream);

// Standard normal in units of 2^-32.
std::int64_t draw_normal(RandomStream& stream);

// The pause before attempt `retry` + 1, counted from 1: base * factor^(retry - 1), at most 30 s;
// with jitter, uniform between zero and that.
Duration draw_backoff(const RetryPolicy& policy, std::int64_t retry, RandomStream& stream);

}  // namespace rushproof::simulator
