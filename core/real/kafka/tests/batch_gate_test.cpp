// Goal: one batch at a time, as full as its publishers make it, and nobody waits for long.
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
    bool open(std::size_t waiting) const { return gate_.open(waiting, now_); }
    void go(std::size_t messages) { gate_.go(messages, now_); }
    void done(std::size_t messages, std::size_t waiting = 0) {
        for (std::size_t i = 0; i < messages; ++i) { gate_.done(waiting, now_); }
    }
    void pass(Duration time) { now_ += time; }

    BatchGate gate_{wait_max};
    MonotonicTime now_{std::chrono::hours(1)};
};

TEST_F(BatchGateTest, WhoIsAloneNeverWaits) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(open(1));
        go(1);
        pass(milliseconds(1));
        done(1);
    }
}

TEST_F(BatchGateTest, OneBatchAtATime) {
    go(3);
    EXPECT_FALSE(open(1));
    done(2, 1);
    EXPECT_FALSE(open(1)) << "one is still under way";
}

TEST_F(BatchGateTest, WaitsForThoseThatWereUnderWayAndThoseThatWaited) {
    go(3);
    pass(milliseconds(4));
    done(3, 2);
    EXPECT_FALSE(open(4));
    EXPECT_TRUE(open(5));
}

TEST_F(BatchGateTest, WaitsAQuarterOfABatchForThoseWhoDoNotCome) {
    go(3);
    pass(milliseconds(4));
    done(3);
    EXPECT_EQ(gate_.opens_at(), now_ + milliseconds(1));
    pass(microseconds(999));
    EXPECT_FALSE(open(1));
    pass(microseconds(1));
    EXPECT_TRUE(open(1));
    go(1);
    pass(milliseconds(1));
    done(1);
    EXPECT_TRUE(open(1)) << "there was one in the last batch";
}

TEST_F(BatchGateTest, ABatchThatHangsHoldsNobodyForLongerThanTheLimit) {
    go(1);
    pass(milliseconds(2));
    EXPECT_EQ(gate_.opens_at(), now_ + wait_max - milliseconds(2));
    pass(wait_max - milliseconds(2) - microseconds(1));
    EXPECT_FALSE(open(2));
    pass(microseconds(1));
    EXPECT_TRUE(open(2));
    go(2);
    EXPECT_FALSE(open(1)) << "behind them, again";
    pass(milliseconds(900));  // the limit is below a quarter of it
    done(3);
    EXPECT_FALSE(open(2)) << "three are expected";
    EXPECT_EQ(gate_.opens_at(), now_ + wait_max);
}

}  // namespace
}  // namespace rushproof::kafka
