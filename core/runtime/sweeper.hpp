// Work that a role repeats by itself, for as long as it lives.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"

namespace rushproof {

struct SweepJob {
    // Does some of what is due; how much.
    std::function<Task<Result<std::size_t>>(Context)> some;
    // Every so often at most, and not before; zero: in every sweep.
    Duration every{};
    // Whoever did as much is called again at once.
    std::size_t full = SIZE_MAX;
};

class Sweeper {
public:
    // `environment` outlives the sweeper.  Metrics: <role>_failed_sweeps_total.
    Sweeper(Environment& environment, std::string_view role);

    // Every `interval`, one job after the other, each call with `timeout`.  What failed is tried
    // again by a later sweep.  Ends when it is cancelled.
    Task<void> run(Duration interval, Duration timeout, std::vector<SweepJob> jobs);

private:
    Task<void> sweep(Duration timeout, const SweepJob& job);

    Environment& environment_;
    Counter& failed_;
};

}  // namespace rushproof
