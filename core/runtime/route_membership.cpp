#include "core/runtime/route_membership.hpp"

#include <algorithm>
#include <utility>

namespace rushproof {

struct RouteMembership::Lease {
    QueueRoute route;
    MonotonicTime until{};
    std::uint64_t held = 0;                         // how many times it was lost so far
    std::map<std::int64_t, std::size_t> under_way;  // by epoch

    // The first route that is still acted upon.
    std::int64_t epoch() const {
        return under_way.empty() ? route.epoch : std::min(route.epoch, under_way.begin()->first);
    }
};

RouteMembership::Work::Work(std::shared_ptr<Lease> lease, QueueRoute route)
    : lease_(std::move(lease)), route_(std::move(route)), held_(lease_->held) {
    ++lease_->under_way[route_.epoch];
}

RouteMembership::Work::~Work() {
    if (!lease_ || lease_->held != held_) { return; }
    const auto mine = lease_->under_way.find(route_.epoch);
    if (--mine->second == 0) { lease_->under_way.erase(mine); }
}

MonotonicTime RouteMembership::Work::until() const {
    return lease_->held == held_ ? lease_->until : MonotonicTime{};
}

RouteMembership::RouteMembership(Environment& environment, Renew renew, Options options)
    : environment_(environment),
      renew_(std::move(renew)),
      options_(options),
      lease_(std::make_shared<Lease>()),
      failed_(environment.telemetry.counter("queue_route_failed_renewals_total",
                                            "Leases on the queue's route that were not renewed")) {}

Task<Result<void>> RouteMembership::renew() {
    const MonotonicTime asked = environment_.clock.monotonic();
    RP_CO_TRY(QueueRoute route,
              co_await renew_(Context(asked + options_.timeout), lease_->epoch()));
    // It may have been taken for gone meanwhile, and then nobody waits for its work any more.
    if (environment_.clock.monotonic() >= lease_->until) {
        ++lease_->held;
        lease_->under_way.clear();
    }
    // Renewals may overtake each other.
    if (route.epoch < lease_->route.epoch) { co_return Result<void>(); }
    lease_->route = std::move(route);
    lease_->until = std::max(lease_->until, asked + options_.lease);
    co_return Result<void>();
}

Task<void> RouteMembership::run() {
    while (true) {
        const std::int64_t told = lease_->epoch();
        const auto renewed = co_await renew();
        if (!renewed) { failed_.add(); }
        const bool settled =
            renewed && lease_->route.phase == RoutePhase::steady && told == lease_->route.epoch;
        co_await sleep_for(environment_.clock, settled ? options_.renew_every : options_.hurry);
    }
}

Result<RouteMembership::Work> RouteMembership::begin() const {
    if (lease_->route.epoch == 0 || environment_.clock.monotonic() >= lease_->until) {
        return failure(ErrorKind::retryable, "no-route", "it is not known which queue is used");
    }
    return Work(lease_, lease_->route);
}

}  // namespace rushproof
