#include "simulator/live/clock_offset.hpp"

namespace rushproof::simulator {

namespace {

constexpr int readings = 10;
constexpr Duration wall_tick = WallTime::duration(1);

ClockOffset read_once(const Clock& clock) {
    const MonotonicTime before = clock.monotonic();
    const WallTime wall = clock.wall();
    const MonotonicTime after = clock.monotonic();
    const Duration half = (after - before) / 2;
    return {wall.time_since_epoch() - (before.time_since_epoch() + half), half + wall_tick};
}

}  // namespace

WallTime ClockOffset::wall(MonotonicTime at) const {
    return WallTime(std::chrono::floor<WallTime::duration>(at.time_since_epoch() + offset));
}

ClockOffset read_clock_offset(const Clock& clock) {
    ClockOffset best = read_once(clock);
    for (int i = 1; i < readings; ++i) {
        const ClockOffset next = read_once(clock);
        if (next.error < best.error) { best = next; }
    }
    return best;
}

Duration clock_bound(const ClockOffset& before, const ClockOffset& after) {
    const Duration moved = std::chrono::abs(after.offset - before.offset);
    // The time of an entry is cut to a tick, and so is what `wall` returns.
    return moved + before.error + after.error + 2 * wall_tick;
}

}  // namespace rushproof::simulator
