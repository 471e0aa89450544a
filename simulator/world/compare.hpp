// Where two runs that should have been equal parted.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

// Event numbers [first, last): rerun both with this window to see the events themselves.
struct TraceWindow {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// The first window between checkpoints in which the two differ; nothing when they are equal.
std::optional<TraceWindow> first_differing_window(const TraceSummary& left,
                                                  const TraceSummary& right);

struct TraceDifference {
    std::uint64_t index = 0;
    std::string sentence;  // for people: both events, or which run ended
};

// The first differing event of two recordings of the same window; nothing when they are equal.
std::optional<TraceDifference> first_difference(const TraceSummary& left,
                                                const TraceSummary& right);

}  // namespace rushproof::simulator
