// Goal: every field of an event counts for the hash, and the first differing event of two runs is
// found from their checkpoints.  Method: made-up traces that differ in one field of one event.
#include "simulator/world/trace.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "simulator/world/compare.hpp"

namespace rushproof::simulator {
namespace {

struct Made {
    std::int64_t time;
    std::string host;
    std::string what;
    std::uint64_t task;
    std::uint64_t payload;
};

TraceSummary trace_with(std::uint64_t events, std::uint64_t changed,
                        const std::function<void(Made&)>& change, TraceWindow window = {}) {
    Trace trace(window.first, window.last);
    for (std::uint64_t i = 0; i < events; ++i) {
        Made made{static_cast<std::int64_t>(i * 10), "host/" + std::to_string(i % 3), "step", i % 7,
                  i};
        if (i == changed) { change(made); }
        trace.add(made.time, made.host, made.what, made.task, made.payload);
    }
    return trace.summary();
}

constexpr std::uint64_t none = ~std::uint64_t{0};
const auto no_change = [](Made&) {};

TEST(Trace, EveryFieldCounts) {
    const TraceSummary plain = trace_with(100, none, no_change);
    EXPECT_EQ(plain.hash.size(), 32u);
    EXPECT_EQ(plain.hash, trace_with(100, none, no_change).hash);
    EXPECT_NE(plain.hash, trace_with(101, none, no_change).hash);
    EXPECT_NE(plain.hash, trace_with(100, 50, [](Made& made) { ++made.time; }).hash);
    EXPECT_NE(plain.hash, trace_with(100, 50, [](Made& made) { made.host += "0"; }).hash);
    EXPECT_NE(plain.hash, trace_with(100, 50, [](Made& made) { made.what += "0"; }).hash);
    EXPECT_NE(plain.hash, trace_with(100, 50, [](Made& made) { ++made.task; }).hash);
    EXPECT_NE(plain.hash, trace_with(100, 50, [](Made& made) { ++made.payload; }).hash);
}

TEST(Trace, FirstDifferenceIsLocated) {
    const auto change = [](Made& made) { made.payload = 0; };
    const TraceSummary left = trace_with(10'000, none, no_change);
    const TraceSummary right = trace_with(10'000, 5'000, change);
    EXPECT_EQ(left.checkpoints.size(), 9u);
    EXPECT_TRUE(left.window.empty());
    const auto window = first_differing_window(left, right);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->first, 4'096u);
    EXPECT_EQ(window->last, 5'120u);

    const TraceSummary left_again = trace_with(10'000, none, no_change, *window);
    const TraceSummary right_again = trace_with(10'000, 5'000, change, *window);
    EXPECT_EQ(left_again.hash, left.hash) << "looking changes nothing";
    EXPECT_EQ(left_again.window.size(), 1'024u);
    const auto difference = first_difference(left_again, right_again);
    ASSERT_TRUE(difference);
    EXPECT_EQ(difference->index, 5'000u);
    EXPECT_NE(difference->sentence.find("host/2: step"), std::string::npos) << difference->sentence;
}

TEST(Trace, ARunThatEndsEarlierDiffers) {
    const TraceWindow window{1'024, 2'048};
    const TraceSummary left = trace_with(2'000, none, no_change, window);
    const TraceSummary right = trace_with(1'999, none, no_change, window);
    EXPECT_EQ(first_differing_window(left, right)->first, 1'024u);
    const auto difference = first_difference(left, right);
    ASSERT_TRUE(difference);
    EXPECT_EQ(difference->index, 1'999u);
    EXPECT_NE(difference->sentence.find("the second run ended"), std::string::npos);
}

TEST(Trace, EqualRunsHaveNoDifference) {
    const TraceSummary left = trace_with(2'000, none, no_change, {0, 2'000});
    const TraceSummary right = trace_with(2'000, none, no_change, {0, 2'000});
    EXPECT_FALSE(first_differing_window(left, right));
    EXPECT_FALSE(first_difference(left, right));
}

}  // namespace
}  // namespace rushproof::simulator
