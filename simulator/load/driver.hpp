// Runs the loads of a scenario: simulated users over the REST API.  The same code in both worlds.
#pragma once
#include <cstdint>
#include <memory>

#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "core/ports/spawner.hpp"
#include "simulator/load/arrivals.hpp"
#include "simulator/load/metrics.hpp"
#include "simulator/load/recorder.hpp"
#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// What a driver sees of its world.  In virtual time these belong to the host "clients"; live, each
// generator thread has its own, on its own io_context.
struct ClientWorld {
    Clock& clock;
    Spawner& spawner;
    HttpClient& http;
};

struct DriverOptions {
    std::uint64_t seed = 1;
    LoadShare share;      // of this generator thread
    MonotonicTime start;  // time zero of the run, the same for all threads
    // Operations in flight at the end of the scenario get this much longer.
    Duration finish_within = std::chrono::seconds(5);
};

// One generator thread's share of all loads.  Single-threaded.
class Driver {
public:
    // `scenario`, `recorder` and the world outlive the driver.  Throws std::invalid_argument if a
    // load names no journey of the scenario, or there is no SKU.
    Driver(const Scenario& scenario, DriverOptions options, ClientWorld world, Recorder& recorder);
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    ~Driver();

    // Starts users until the end of Scenario::duration and returns when the last has ended, at most
    // `finish_within` later.  Call once.  The driver is destroyed after that, or, in a crash, when
    // the executor has stopped for ever.
    Task<void> run();

    // Complete once run() has returned.
    const LoadMetrics& metrics() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace rushproof::simulator
