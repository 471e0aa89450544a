// Goal: the bound covers what the wall clock moved and every error of reading it.
// Method: a clock that shows scripted times; the machine's own clocks once.
#include "simulator/live/clock_offset.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/real/os/real_clock.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

// Every reading of the monotonic clock takes as long as the next of `steps`; then 1 µs.
class ScriptedClock final : public Clock {
public:
    ScriptedClock(Duration offset, std::vector<Duration> steps)
        : offset_(offset), steps_(std::move(steps)) {}

    MonotonicTime monotonic() const override {
        now_ += next_ < steps_.size() ? steps_[next_++] : microseconds(1);
        return MonotonicTime(now_);
    }
    WallTime wall() const override {
        return WallTime(std::chrono::floor<WallTime::duration>(now_ + offset_));
    }
    void wait_until(MonotonicTime, WaitHandler) override {}

private:
    Duration offset_;
    std::vector<Duration> steps_;
    mutable std::size_t next_ = 0;
    mutable Duration now_ = seconds(100);
};

TEST(ClockOffset, TheReadingWithTheLeastErrorCounts) {
    const std::vector<Duration> steps(4, microseconds(800));
    const ClockOffset found = read_clock_offset(ScriptedClock(seconds(5), steps));
    EXPECT_LE(found.error, microseconds(2));
    EXPECT_LE(std::chrono::abs(found.offset - seconds(5)), found.error);
}

TEST(ClockOffset, SlowReadingsSayHowWrongTheyMayBe) {
    const std::vector<Duration> steps(20, microseconds(600));
    const ClockOffset found = read_clock_offset(ScriptedClock(seconds(-5), steps));
    EXPECT_EQ(found.error, microseconds(301));
    EXPECT_LE(std::chrono::abs(found.offset + seconds(5)), found.error);
}

TEST(ClockOffset, TheBoundCoversWhatTheWallClockMoved) {
    const ClockOffset before{.offset = seconds(5), .error = microseconds(3)};
    const ClockOffset ahead{.offset = seconds(5) + microseconds(700), .error = microseconds(4)};
    EXPECT_EQ(clock_bound(before, ahead), microseconds(709));
    EXPECT_EQ(clock_bound(ahead, before), microseconds(709));
    EXPECT_EQ(clock_bound(before, before), microseconds(8));
}

TEST(ClockOffset, TranslatesMonotonicTimes) {
    const ClockOffset offset{.offset = Duration(1'500), .error = {}};
    EXPECT_EQ(offset.wall(MonotonicTime(Duration(10'400))), WallTime(microseconds(11)));
    EXPECT_EQ(offset.wall(MonotonicTime(Duration(10'500))), WallTime(microseconds(12)));
}

TEST(ClockOffset, TheMachinesClocksAgree) {
    const RealClock clock{asio::any_io_executor()};
    const ClockOffset before = read_clock_offset(clock);
    const MonotonicTime at = clock.monotonic();
    const WallTime wall = clock.wall();
    const MonotonicTime later = clock.monotonic();
    const Duration bound = clock_bound(before, read_clock_offset(clock));
    EXPECT_GT(bound, Duration(0));
    EXPECT_GE(wall, before.wall(at) - std::chrono::ceil<WallTime::duration>(bound));
    EXPECT_LE(wall, before.wall(later) + std::chrono::ceil<WallTime::duration>(bound));
}

}  // namespace
}  // namespace rushproof::simulator
