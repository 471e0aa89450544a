// Randomness by key, not by order: each (stream, entity) pair has its own sequence, so taking one
// draw away, or a whole fault, leaves every other draw unchanged.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/hash.hpp"
#include "core/base/time.hpp"

namespace rushproof {

// One sequence of draws: SplitMix64 from a keyed start.  Copying it copies its position.
// All mappings are integer arithmetic: std::*_distribution differs between standard libraries.
// Write one draw per expression: compilers evaluate the arguments of f(draw(), draw()) in
// different orders.
class RandomStream {
public:
    explicit constexpr RandomStream(std::uint64_t key) : state_(key) {}

    std::uint64_t next() { return mix64(state_ += 0x9E3779B97F4A7C15ull); }
    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }
    // Uniform in [low, high].
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    Duration between(Duration low, Duration high) {
        return Duration(between(low.count(), high.count()));
    }
    // True with probability millionths / 1,000,000.
    bool chance(std::uint32_t millionths) { return below(1'000'000) < millionths; }
    // Exponential with the given mean, at least zero.
    Duration exponential(Duration mean);

private:
    std::uint64_t state_;
};

// The sequence of one purpose ("arrivals", "network") of one entity, under a master seed.
RandomStream keyed_stream(std::uint64_t seed, std::string_view stream, std::uint64_t entity = 0);

// -ln(u) for u = (draw + 1) / 2^64, in units of 2^-32.  Integer only, so every compiler agrees.
std::uint64_t negative_log(std::uint64_t draw);

// 2^(-x) for x in units of 2^-32, in units of 2^-62.  Integer only.
std::uint64_t power_of_half(std::uint64_t x);

// log2(n) for n >= 1, in units of 2^-32.  Integer only.
std::uint64_t binary_log(std::uint64_t n);

}  // namespace rushproof
