// What competing for the same rows costs, as metrics of the strategy.
#pragma once
#include <array>
#include <map>
#include <string>

#include "core/base/error.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/telemetry.hpp"
#include "core/runtime/retry.hpp"
#include "services/inventory/inventory.hpp"

namespace rushproof::inventory {

class Contention {
public:
    Contention(Telemetry& telemetry, Strategy strategy);

    // An attempt failed in a way that may be tried again.
    void failed(const Error& error);
    // It is not tried again.
    void gave_up(GaveUp why);
    // The round trip that takes the locks ended.
    void locked(Duration taken);

private:
    std::map<std::string, Counter*, std::less<>> failed_;  // by code
    Counter& failed_otherwise_;
    std::array<Counter*, 3> gave_up_;
    Distribution& lock_seconds_;
};

}  // namespace rushproof::inventory
