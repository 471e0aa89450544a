#include "services/inventory/app/contention.hpp"

#include <string_view>

namespace rushproof::inventory {

Contention::Contention(Telemetry& telemetry)
    : deadlocks_(telemetry.counter("inventory_deadlocks_total", "Attempts that ended a deadlock")),
      conflicts_(telemetry.counter("inventory_conflicts_total",
                                   "Attempts that somebody else's write made useless")),
      lock_timeouts_(telemetry.counter("inventory_lock_timeouts_total",
                                       "Attempts that waited too long for a lock")),
      failed_attempts_(telemetry.counter("inventory_failed_attempts_total",
                                         "Attempts that may be tried again, whatever failed")),
      lock_seconds_(telemetry.duration("inventory_lock_seconds",
                                       "The round trip that takes the locks, waiting included")) {}

void Contention::failed(const Error& error) {
    const std::string_view code = error.code();
    failed_attempts_.add();
    if (code == "deadlock") { deadlocks_.add(); }
    if (code == "serialization-failure" || code == "version-conflict") { conflicts_.add(); }
    if (code == "lock-timeout") { lock_timeouts_.add(); }
}

void Contention::locked(Duration taken) {
    lock_seconds_.observe(std::chrono::duration<double>(taken).count());
}

}  // namespace rushproof::inventory
