#include "simulator/world/machine_clock.hpp"

#include <algorithm>
#include <limits>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {
constexpr std::int64_t million = 1'000'000;
}  // namespace

Duration MachineClock::advanced(Duration now) const {
    const Duration passed = now - virtual_anchor_;
    if (drift_ppm_ == 0) { return monotonic_anchor_ + passed; }
    const __int128 scaled = static_cast<__int128>(passed.count()) * (million + drift_ppm_);
    return monotonic_anchor_ + Duration(static_cast<std::int64_t>(scaled / million));
}

WallTime MachineClock::wall(Duration now) const {
    return wall_at_start_ + std::chrono::floor<std::chrono::microseconds>(advanced(now) + offset_);
}

Duration MachineClock::virtual_time(MonotonicTime at) const {
    const Duration remaining = std::max(at.time_since_epoch() - monotonic_anchor_, Duration(0));
    __int128 passed = remaining.count();
    if (drift_ppm_ != 0) {  // rounded up: never early
        const __int128 rate = million + drift_ppm_;
        passed = (passed * million + rate - 1) / rate;
    }
    const __int128 result = passed + virtual_anchor_.count();
    constexpr __int128 limit = std::numeric_limits<std::int64_t>::max();
    return Duration(static_cast<std::int64_t>(std::min(result, limit)));
}

void MachineClock::set_drift(Duration now, std::int64_t drift_ppm) {
    RP_ASSERT(drift_ppm > -million);
    monotonic_anchor_ = advanced(now);
    virtual_anchor_ = now;
    drift_ppm_ = drift_ppm;
}

}  // namespace rushproof::simulator
