// Goal: draws are the same everywhere, independent between keys, and follow their distributions.
// Method: golden values, comparison with libm, and fixed-seed statistics.
#include "core/base/keyed_random.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rushproof {
namespace {

TEST(KeyedRandom, GoldenValuesNeverChange) {
    RandomStream random = keyed_stream(7, "arrivals", 3);
    EXPECT_EQ(random.next(), 14324333162354579501u);
    EXPECT_EQ(random.next(), 9018259988132387336u);
    EXPECT_EQ(hash64("rushproof"), 6653651434852902842u);
    EXPECT_EQ(random.exponential(Duration(1'000'000)).count(), 322098);
}

TEST(KeyedRandom, StreamsAreIndependent) {
    EXPECT_NE(keyed_stream(1, "a").next(), keyed_stream(1, "b").next());
    EXPECT_NE(keyed_stream(1, "a", 0).next(), keyed_stream(1, "a", 1).next());
    EXPECT_NE(keyed_stream(1, "a").next(), keyed_stream(2, "a").next());
}

TEST(KeyedRandom, LogarithmAgreesWithLibm) {
    RandomStream random = keyed_stream(1, "log");
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t shift = random.below(60);
        const std::uint64_t draw = random.next() >> shift;
        const double expected = -std::log((static_cast<double>(draw) + 1) / std::ldexp(1.0, 64));
        EXPECT_NEAR(static_cast<double>(negative_log(draw)) / std::ldexp(1.0, 32), expected, 1e-8);
    }
}

TEST(KeyedRandom, PowerAgreesWithLibm) {
    RandomStream random = keyed_stream(1, "power");
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t x = random.below(std::uint64_t{40} << 32);
        const double expected = std::exp2(-static_cast<double>(x) / std::ldexp(1.0, 32));
        const double measured = static_cast<double>(power_of_half(x)) / std::ldexp(1.0, 62);
        EXPECT_NEAR(measured, expected, 1e-9 * expected + std::ldexp(1.0, -60));
    }
}

TEST(KeyedRandom, ExponentialHasItsMeanAndTail) {
    RandomStream random = keyed_stream(5, "exponential");
    const int draws = 200'000;
    double sum = 0;
    int above_three_means = 0;
    for (int i = 0; i < draws; ++i) {
        const auto value = random.exponential(Duration(1'000'000));
        sum += static_cast<double>(value.count());
        above_three_means += value > Duration(3'000'000) ? 1 : 0;
    }
    EXPECT_NEAR(sum / draws, 1'000'000, 10'000);
    EXPECT_NEAR(static_cast<double>(above_three_means) / draws, std::exp(-3.0), 0.002);
}

TEST(KeyedRandom, BelowIsUniform) {
    RandomStream random = keyed_stream(9, "below");
    int counts[7] = {};
    for (int i = 0; i < 70'000; ++i) { ++counts[random.below(7)]; }
    for (int count : counts) { EXPECT_NEAR(count, 10'000, 400); }
}

}  // namespace
}  // namespace rushproof
