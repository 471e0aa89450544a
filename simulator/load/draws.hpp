// Draws of the distributions that scenario files name.  Integer arithmetic, so that every compiler
// agrees; floating-point parameters are cut once, to multiples of 2^-32.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// The sequences of one purpose ("arrivals", "think") of one load: one for each of its arrivals or
// users.  No load, purpose or arrival disturbs another's.
class LoadStreams {
public:
    LoadStreams(std::uint64_t seed, std::string_view load, std::string_view purpose);
    RandomStream of(std::uint64_t entity) const { return RandomStream(combine64(key_, entity)); }

private:
    std::uint64_t key_;
};
RandomStream load_stream(std::uint64_t seed, std::string_view load, std::string_view purpose,
                         std::uint64_t entity = 0);

// In units of 2^-32; negative and absurd values become zero and 2^31.
std::uint64_t to_fixed_point(double value);

// Never negative; at most a day.
Duration draw_duration(const DurationDraw& draw, RandomStream& stream);
std::int64_t draw_number(const NumberDraw& draw, RandomStream& stream);

// Standard normal, in units of 2^-32.
std::int64_t draw_normal(RandomStream& stream);

// The pause before retry number `retry`, counted from 1: base * factor^(retry - 1), at most 30 s;
// with jitter, uniform between zero and that.
Duration draw_backoff(const RetryPolicy& policy, std::int64_t retry, RandomStream& stream);

}  // namespace rushproof::simulator
