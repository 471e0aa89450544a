// Goal: clocks with drift and steps are exact functions of virtual time.  Method: for many drifts,
// the virtual time of a reading is the first one that shows it; readings never go back.
#include "simulator/world/machine_clock.hpp"

#include <gtest/gtest.h>

#include "core/base/keyed_random.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime start{seconds(1'000'000)};

TEST(MachineClock, VirtualTimeIsTheFirstThatShowsAReading) {
    RandomStream random = keyed_stream(1, "machine-clock");
    for (int i = 0; i < 5'000; ++i) {
        MachineClock clock(start, Duration(0), random.between(-900'000, 900'000));
        const Duration changed = random.between(Duration(0), Duration(seconds(10)));
        clock.set_drift(changed, random.between(-900'000, 900'000));
        const MonotonicTime at =
            clock.monotonic(changed) + random.between(Duration(1), Duration(seconds(1000)));
        const Duration due = clock.virtual_time(at);
        ASSERT_GE(clock.monotonic(due), at) << "early";
        ASSERT_LT(clock.monotonic(due - Duration(1)), at) << "later than needed";
    }
}

TEST(MachineClock, MonotonicNeverGoesBack) {
    RandomStream random = keyed_stream(2, "machine-clock");
    MachineClock clock(start);
    MonotonicTime last{};
    Duration now{};
    for (int i = 0; i < 5'000; ++i) {
        now += random.between(Duration(0), Duration(10'000));
        if (random.chance(100'000)) { clock.set_drift(now, random.between(-999'999, 1'000'000)); }
        if (random.chance(100'000)) { clock.step(random.between(-seconds(1), seconds(1))); }
        ASSERT_GE(clock.monotonic(now), last);
        last = clock.monotonic(now);
    }
}

TEST(MachineClock, WallHasOffsetDriftAndSteps) {
    MachineClock clock(start, -milliseconds(5), 500);
    EXPECT_EQ(clock.wall(Duration(0)), start - milliseconds(5));
    EXPECT_EQ(clock.wall(seconds(100)), start - milliseconds(5) + seconds(100) + milliseconds(50));
    clock.step(-seconds(2));
    EXPECT_EQ(clock.wall(seconds(100)), start - milliseconds(5) + seconds(98) + milliseconds(50));
    EXPECT_EQ(clock.monotonic(seconds(100)).time_since_epoch(), seconds(100) + milliseconds(50));
}

TEST(MachineClock, FarTimesDoNotOverflow) {
    const MachineClock slow(start, Duration(0), -900'000);
    EXPECT_EQ(slow.virtual_time(MonotonicTime::max()), Duration::max());
    const MachineClock right(start);
    EXPECT_EQ(right.virtual_time(MonotonicTime::max()), Duration::max());
}

}  // namespace
}  // namespace rushproof::simulator
