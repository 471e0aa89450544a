// Goal: draws follow the distributions that scenario files name, bit for bit the same everywhere.
// Method: moments and quantiles at fixed seeds against theory, and golden values.
#include "simulator/load/draws.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;

std::vector<double> milliseconds_of(const DurationDraw& draw, int count) {
    RandomStream stream = keyed_stream(1, "draws");
    std::vector<double> result;
    for (int i = 0; i < count; ++i) {
        result.push_back(static_cast<double>(draw_duration(draw, stream).count()) / 1e6);
    }
    std::sort(result.begin(), result.end());
    return result;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) { sum += value; }
    return sum / static_cast<double>(values.size());
}

TEST(Draws, NormalHasItsMomentsAndTails) {
    RandomStream stream = keyed_stream(1, "normal");
    constexpr int count = 200'000;
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    int beyond_three = 0;
    for (int i = 0; i < count; ++i) {
        const double z = static_cast<double>(draw_normal(stream)) / 4294967296.0;
        sum += z;
        squares += z * z;
        fourths += z * z * z * z;
        beyond_three += std::abs(z) > 3 ? 1 : 0;
    }
    EXPECT_NEAR(sum / count, 0, 0.01);
    EXPECT_NEAR(squares / count, 1, 0.01);
    EXPECT_NEAR(fourths / count, 3, 0.1);
    EXPECT_NEAR(beyond_three, 0.0026998 * count, 4 * std::sqrt(0.0027 * count));
}

TEST(Draws, LognormalHasItsMedianAndSpread) {
    DurationDraw draw;
    draw.kind = DrawKind::lognormal;
    draw.mean = milliseconds(800);
    draw.sigma = 0.4;
    const auto times = milliseconds_of(draw, 100'000);
    EXPECT_NEAR(times[50'000], 800, 8);
    EXPECT_NEAR(times[84'134], 800 * std::exp(0.4), 15);
    EXPECT_NEAR(times[2'275], 800 * std::exp(-0.8), 10);
    draw.sigma = 1e9;
    for (const double time : milliseconds_of(draw, 100)) {
        EXPECT_GE(time, 0);
        EXPECT_LE(time, 86'400'000);
    }
}

TEST(Draws, ExponentialUniformAndConstantKeepTheirBounds) {
    DurationDraw draw;
    draw.kind = DrawKind::exponential;
    draw.mean = milliseconds(300);
    EXPECT_NEAR(mean(milliseconds_of(draw, 100'000)), 300, 4);
    draw.max = milliseconds(500);
    draw.min = milliseconds(10);
    const auto bounded = milliseconds_of(draw, 1'000);
    EXPECT_EQ(bounded.front(), 10);
    EXPECT_EQ(bounded.back(), 500);
    draw.kind = DrawKind::uniform;
    const auto uniform = milliseconds_of(draw, 100'000);
    EXPECT_NEAR(mean(uniform), 255, 2);
    EXPECT_GE(uniform.front(), 10);
    EXPECT_LE(uniform.back(), 500);
    draw.kind = DrawKind::constant;
    EXPECT_EQ(milliseconds_of(draw, 1).front(), 300);
}

TEST(Draws, NumbersComeByWeightOrUniform) {
    NumberDraw draw;
    draw.values = {{1, 800'000}, {2, 150'000}, {4, 50'000}};
    RandomStream stream = keyed_stream(1, "numbers");
    std::map<std::int64_t, int> counts;
    for (int i = 0; i < 100'000; ++i) { ++counts[draw_number(draw, stream)]; }
    EXPECT_EQ(counts.size(), 3u);
    EXPECT_NEAR(counts[1], 80'000, 500);
    EXPECT_NEAR(counts[2], 15'000, 450);
    EXPECT_NEAR(counts[4], 5'000, 280);
    NumberDraw range;
    range.min = 20;
    range.max = 22;
    counts.clear();
    for (int i = 0; i < 30'000; ++i) { ++counts[draw_number(range, stream)]; }
    EXPECT_EQ(counts.size(), 3u);
    for (const auto& [number, count] : counts) { EXPECT_NEAR(count, 10'000, 350) << number; }
}

TEST(Draws, BackoffGrowsToItsLimitAndJitterFillsIt) {
    RetryPolicy policy;
    policy.jitter = false;
    RandomStream stream = keyed_stream(1, "retry");
    EXPECT_EQ(draw_backoff(policy, 1, stream), Duration(milliseconds(50)));
    EXPECT_EQ(draw_backoff(policy, 3, stream), Duration(milliseconds(200)));
    EXPECT_EQ(draw_backoff(policy, 60, stream), Duration(std::chrono::seconds(30)));
    policy.factor = 1.5;
    EXPECT_EQ(draw_backoff(policy, 3, stream), Duration(std::chrono::microseconds(112'500)));
    policy.jitter = true;
    policy.factor = 2;
    double sum = 0;
    Duration largest{};
    for (int i = 0; i < 10'000; ++i) {
        const Duration pause = draw_backoff(policy, 2, stream);
        largest = std::max(largest, pause);
        sum += static_cast<double>(pause.count()) / 1e6;
    }
    EXPECT_NEAR(sum / 10'000, 50, 1);
    EXPECT_LE(largest, Duration(milliseconds(100)));
}

TEST(Draws, StreamsOfLoadsAreIndependent) {
    EXPECT_NE(load_stream(1, "a/b", "c").next(), load_stream(1, "a", "b/c").next());
    EXPECT_NE(load_stream(1, "a", "think", 1).next(), load_stream(1, "a", "think", 2).next());
    EXPECT_NE(load_stream(1, "a", "think").next(), load_stream(1, "b", "think").next());
}

TEST(Draws, GoldenValuesNeverChange) {
    RandomStream stream = load_stream(7, "flash", "think", 3);
    DurationDraw draw;
    draw.kind = DrawKind::lognormal;
    draw.mean = milliseconds(800);
    draw.sigma = 0.4;
    EXPECT_EQ(draw_duration(draw, stream).count(), 345'798'984);
    EXPECT_EQ(draw_normal(stream), 2'617'982'771);
    RetryPolicy policy;
    EXPECT_EQ(draw_backoff(policy, 4, stream).count(), 148'306'514);
}

}  // namespace
}  // namespace rushproof::simulator
