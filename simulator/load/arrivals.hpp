// When each arrival of a load is meant to start: a pure function of the load and the seed, the same
// in both worlds, on every compiler, and for any number of generator threads.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// Beyond these the exact integral would leave 128 bits; larger values are cut down to them.
inline constexpr std::int64_t arrival_rate_max = std::int64_t{1} << 31;  // per 1000 seconds
inline constexpr Duration load_duration_max = std::chrono::hours(39);

struct Arrival {
    std::uint64_t number = 0;  // counted from 0 over all parts of the load
    std::int64_t at = 0;       // ns since the start of the run
};

// A generator thread keeps its share of the arrivals: every `parts`-th of a uniform load; of a
// Poisson load each with probability 1 / parts, so that each share is a Poisson process again.
struct LoadShare {
    std::uint32_t part = 0;
    std::uint32_t parts = 1;
};

// The arrivals of an open-loop load in ascending order.  Arrival i is at the first nanosecond at
// which the integral of the rate reaches e(i): i + 1/2 when uniform, a sum of i + 1 draws of an
// exponential variable with mean 1 when Poisson.  After the last stage its rate stays.
class ArrivalSchedule {
public:
    // Nothing arrives at or after `run_duration`.
    ArrivalSchedule(const Load& load, Duration run_duration, std::uint64_t seed,
                    LoadShare share = {});

    std::optional<Arrival> next();

private:
    // A stretch of time in which the rate is linear.
    struct Piece {
        std::int64_t begin = 0;  // ns since the start of the run
        std::int64_t length = 0;
        std::int64_t rate_from = 0;  // arrivals per 1000 seconds
        std::int64_t rate_to = 0;
        // Integrals over all pieces up to here, in units of 2^-32.
        unsigned __int128 arrivals_before = 0;
        unsigned __int128 arrivals_after = 0;

        // The integral over the first `offset` ns of this piece.
        unsigned __int128 arrivals_until(std::int64_t offset) const;
    };

    void add_piece(std::int64_t begin, std::int64_t length, std::int64_t rate_from,
                   std::int64_t rate_to);
    static std::int64_t guess_offset(const Piece& piece, unsigned __int128 arrivals);
    std::int64_t offset_of(const Piece& piece, unsigned __int128 arrivals) const;
    bool is_mine(std::uint64_t number) const;

    std::vector<Piece> pieces_;
    std::int64_t end_ = 0;
    std::size_t piece_ = 0;
    unsigned __int128 expected_ = 0;
    std::uint64_t number_ = 0;
    Arrivals arrivals_;
    RandomStream gaps_;
    std::uint64_t seed_;
    std::string load_;
    LoadShare share_;
};

}  // namespace rushproof::simulator
