// What competing for the same rows costs, as metrics.
#pragma once
#include "core/base/error.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof::inventory {

class Contention {
public:
    explicit Contention(Telemetry& telemetry);

    // An attempt failed in a way that may be tried again.
    void failed(const Error& error);
    // The round trip that takes the locks came back.
    void locked(Duration taken);

private:
    Counter& deadlocks_;
    Counter& conflicts_;
    Counter& lock_timeouts_;
    Counter& failed_attempts_;
    Distribution& lock_seconds_;
};

}  // namespace rushproof::inventory
