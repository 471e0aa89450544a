// Time points of the two clocks that every process has.  They cannot be mixed up: subtracting one
// kind from the other does not compile.
#pragma once
#include <chrono>
#include <cstdint>

namespace rushproof {

using Duration = std::chrono::nanoseconds;

struct MonotonicTag {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonotonicTag>;
    static constexpr bool is_steady = true;
};
struct WallTag {
    using duration = std::chrono::microseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<WallTag>;
    static constexpr bool is_steady = false;
};

// Never goes backwards; its origin means nothing outside the process.
using MonotonicTime = MonotonicTag::time_point;
// Since 1970-01-01 UTC, in microseconds as PostgreSQL keeps it; may be wrong and may step.
using WallTime = WallTag::time_point;

}  // namespace rushproof
