// Hashes that are the same on every compiler, machine and run.  std::hash promises none of that.
#pragma once
#include <cstdint>
#include <string_view>

namespace rushproof {

// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", 2014): a bijection that flips half of the bits on average.
constexpr std::uint64_t mix64(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// Order matters: combine(combine(a, b), c) differs from combine(combine(a, c), b).
constexpr std::uint64_t combine64(std::uint64_t hash, std::uint64_t value) {
    return mix64((hash ^ value) + 0x9E3779B97F4A7C15ull);
}

// Eight bytes a step, little-endian, the length last.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace rushproof
