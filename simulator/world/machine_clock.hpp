// The two clocks of a simulated machine, as functions of virtual time.  They outlive the processes
// on it: a restart finds the clock as wrong as it was.
#pragma once
#include <cstdint>

#include "core/base/time.hpp"

namespace rushproof::simulator {

// `now` is virtual time since the start of the run and never decreases from call to call.
class MachineClock {
public:
    explicit MachineClock(WallTime wall_at_start, Duration offset = Duration::zero(),
                          std::int64_t drift_ppm = 0)
        : drift_ppm_(drift_ppm), wall_at_start_(wall_at_start), offset_(offset) {}

    MonotonicTime monotonic(Duration now) const { return MonotonicTime(advanced(now)); }
    WallTime wall(Duration now) const;
    // The first virtual time at which monotonic() is at least `at`.
    Duration virtual_time(MonotonicTime at) const;

    // Both clocks run faster (or slower) by this from `now` on; above -1,000,000.
    void set_drift(Duration now, std::int64_t drift_ppm);
    // Steps the wall clock, forward or back; the monotonic one does not notice.
    void step(Duration by) { offset_ += by; }

    Duration offset() const { return offset_; }
    std::int64_t drift_ppm() const { return drift_ppm_; }

private:
    Duration advanced(Duration now) const;

    Duration virtual_anchor_{};    // where the present drift began ...
    Duration monotonic_anchor_{};  // ... and what the monotonic clock showed
    std::int64_t drift_ppm_;
    WallTime wall_at_start_;
    Duration offset_;
};

}  // namespace rushproof::simulator
