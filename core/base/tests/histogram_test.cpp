// Goal: quantiles are within 0.8 % of a sorted vector, and merging loses nothing.
// Method: random values over twelve orders of magnitude, compared with the exact answer.
#include "core/base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/keyed_random.hpp"

namespace rushproof {
namespace {

TEST(Histogram, QuantilesAreWithinItsError) {
    RandomStream random = keyed_stream(1, "histogram");
    for (int shift : {0, 10, 24, 40}) {
        Histogram histogram;
        std::vector<std::int64_t> values;
        for (int i = 0; i < 20'000; ++i) {
            const auto value =
                static_cast<std::int64_t>(random.below(std::uint64_t{1} << (shift + 8)));
            values.push_back(value);
            histogram.record(value);
        }
        std::sort(values.begin(), values.end());
        for (double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
            const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * 20'000))) - 1;
            const auto exact = static_cast<double>(values[rank]);
            EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), exact, exact * 0.008 + 0.5);
        }
        EXPECT_EQ(histogram.max(), values.back());
        EXPECT_EQ(histogram.min(), values.front());
    }
}

TEST(Histogram, MergeEqualsRecordingEverythingInOne) {
    RandomStream random = keyed_stream(2, "histogram");
    Histogram left, right, all;
    for (int i = 0; i < 5'000; ++i) {
        const auto value = static_cast<std::int64_t>(random.below(1'000'000'000));
        (i % 3 == 0 ? left : right).record(value);
        all.record(value);
    }
    left.merge(right);
    EXPECT_EQ(left.count(), all.count());
    EXPECT_EQ(left.quantile(0.99), all.quantile(0.99));
    EXPECT_DOUBLE_EQ(left.mean(), all.mean());
    left.merge(Histogram{});
    EXPECT_EQ(left.min(), all.min());
}

TEST(Histogram, RestoreGivesItBack) {
    RandomStream random = keyed_stream(3, "histogram");
    Histogram original;
    for (int i = 0; i < 1'000; ++i) {
        original.record(static_cast<std::int64_t>(random.below(5'000'000)));
    }
    const Histogram copy =
        Histogram::restore(original.buckets(), original.min(), original.max(), original.sum());
    for (double q : {0.0, 0.5, 0.99, 1.0}) { EXPECT_EQ(copy.quantile(q), original.quantile(q)); }
    EXPECT_EQ(copy.count(), original.count());
    EXPECT_DOUBLE_EQ(copy.mean(), original.mean());
}

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.quantile(0.99), 0);
    EXPECT_EQ(histogram.mean(), 0.0);
}

}  // namespace
}  // namespace rushproof
