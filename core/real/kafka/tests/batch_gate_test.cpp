// Goal: one batch at a time, and nobody waits for long.
// Method: the gate is told a time that only the test moves.
#include "core/real/kafka/batch_gate.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace rushproof::kafka {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration wait_max = milliseconds(5);

class BatchGateTest : public testing::Test {
protected:
    bool open() const { return gate_.open(now_); }
    void go(std::size_t messages) { gate_.go(messages, now_); }
    void done(std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i) { gate_.done(); }
    }
    void pass(Duration time) { now_ += time; }

    BatchGate gate_{wait_max};
    MonotonicTime now_{std::chrono::hours(1)};
};

TEST_F(BatchGateTest, OneBatchAtATime) {
    EXPECT_TRUE(open());
    go(3);
    EXPECT_FALSE(open());
    done(2);
    EXPECT_FALSE(open()) << "one is still under way";
    done(1);
    EXPECT_TRUE(open());
}

TEST_F(BatchGateTest, ABatchThatHangsHoldsNobodyForLongerThanTheLimit) {
    go(1);
    pass(milliseconds(2));
    EXPECT_EQ(gate_.opens_at(), now_ + wait_max - milliseconds(2));
    pass(wait_max - milliseconds(2) - microseconds(1));
    EXPECT_FALSE(open());
    pass(microseconds(1));
    EXPECT_TRUE(open());
    go(2);
    EXPECT_FALSE(open()) << "behind them, again";
    done(2);
    EXPECT_FALSE(open()) << "the one that hangs, or another";
    done(1);
    EXPECT_TRUE(open());
}

}  // namespace
}  // namespace rushproof::kafka
