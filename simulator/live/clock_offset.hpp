// Clients write their history by the monotonic clock, databases their ledgers by the wall clock.
// This is how far apart the two are on this machine, and how surely that is known.
#pragma once
#include "core/ports/clock.hpp"

namespace rushproof::simulator {

struct ClockOffset {
    Duration offset{};  // the wall clock less the monotonic clock, each since its own origin
    Duration error{};   // by how much `offset` may be wrong

    WallTime wall(MonotonicTime at) const;
};

// The most precise of some readings.
ClockOffset read_clock_offset(const Clock& clock);

// By how much a ledger time between the two readings may be wrong when `before` translates it: what
// the wall clock moved meanwhile, and all errors.  A step that was taken back is not seen.
Duration clock_bound(const ClockOffset& before, const ClockOffset& after);

}  // namespace rushproof::simulator
