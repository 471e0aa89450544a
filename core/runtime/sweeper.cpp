#include "core/runtime/sweeper.hpp"

#include <string>

#include "core/runtime/retry.hpp"

namespace rushproof {

Sweeper::Sweeper(Environment& environment, std::string_view role)
    : environment_(environment),
      failed_(environment.telemetry.counter(std::string(role) + "_failed_sweeps_total",
                                            "Sweeps that ended with an error")) {}

// Instances that start together should not sweep together.
Task<void> Sweeper::run(Duration interval, Duration timeout, std::vector<SweepJob> jobs) {
    Clock& clock = environment_.clock;
    const Duration first = jitter(environment_.random, interval);
    co_await sleep_for(clock, first);
    std::vector<MonotonicTime> due;
    for (const SweepJob& job : jobs) { due.push_back(clock.monotonic() + job.every); }
    while (true) {
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (clock.monotonic() < due[i]) { continue; }
            co_await sweep(timeout, jobs[i]);
            due[i] = clock.monotonic() + jobs[i].every;
        }
        co_await sleep_for(clock, interval);
    }
}

Task<void> Sweeper::sweep(Duration timeout, const SweepJob& job) {
    while (true) {
        const auto done = co_await job.some(Context(environment_.clock.monotonic() + timeout));
        if (!done) {
            failed_.add();
            environment_.telemetry.log(LogLevel::warning, "a sweep failed",
                                       {{"code", done.error().code()}});
            co_return;
        }
        if (*done < job.full) { co_return; }
    }
}

}  // namespace rushproof
