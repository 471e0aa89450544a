#include "services/inventory/app/contention.hpp"

#include <string_view>

namespace rushproof::inventory {

namespace {

constexpr std::array<std::string_view, 5> causes{
    "deadlock", "serialization-failure", "version-conflict", "lock-timeout", "key-in-flight"};
constexpr std::array<std::string_view, 3> limits_of_patience{"attempts", "deadline", "budget"};

Labels labels(Strategy strategy) { return {{"strategy", std::string(to_string(strategy))}}; }

Labels labels(Strategy strategy, std::string_view name, std::string_view value) {
    Labels both = labels(strategy);
    both.emplace_back(name, value);
    return both;
}

Counter& failed_attempts(Telemetry& telemetry, Strategy strategy, std::string_view cause) {
    return telemetry.counter("inventory_failed_attempts_total",
                             "Attempts that may be tried again, by what failed",
                             labels(strategy, "cause", cause));
}

Counter* given_up(Telemetry& telemetry, Strategy strategy, GaveUp why) {
    const std::string_view limit = limits_of_patience[static_cast<std::size_t>(why)];
    return &telemetry.counter("inventory_given_up_total",
                              "Calls that ended with a failed attempt, by what forbade another",
                              labels(strategy, "limit", limit));
}

}  // namespace

Contention::Contention(Telemetry& telemetry, Strategy strategy)
    : failed_otherwise_(failed_attempts(telemetry, strategy, "other")),
      gave_up_{given_up(telemetry, strategy, GaveUp::attempts),
               given_up(telemetry, strategy, GaveUp::deadline),
               given_up(telemetry, strategy, GaveUp::budget)},
      lock_seconds_(telemetry.duration("inventory_lock_seconds",
                                       "The round trip that takes a reserve's locks, waiting "
                                       "included",
                                       labels(strategy))) {
    for (const std::string_view cause : causes) {
        failed_.emplace(cause, &failed_attempts(telemetry, strategy, cause));
    }
}

void Contention::failed(const Error& error) {
    const auto known = failed_.find(std::string_view(error.code()));
    (known == failed_.end() ? failed_otherwise_ : *known->second).add();
}

void Contention::gave_up(GaveUp why) { gave_up_[static_cast<std::size_t>(why)]->add(); }

void Contention::locked(Duration taken) {
    lock_seconds_.observe(std::chrono::duration<double>(taken).count());
}

}  // namespace rushproof::inventory
