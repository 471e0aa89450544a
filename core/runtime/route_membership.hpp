// One publisher or consumer on a route: keeps its lease, and lets work begin only under it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/ports/environment.hpp"
#include "core/runtime/queue_route.hpp"

namespace rushproof {

class RouteMembership {
    struct Lease;

public:
    struct Options {
        Duration lease = std::chrono::seconds(3);  // no longer than the switchboard's
        Duration renew_every = std::chrono::milliseconds(500);
        Duration timeout = std::chrono::seconds(1);  // of one renewal
        // While older work is under way, or a switch is: so that no step waits long.
        Duration hurry = std::chrono::milliseconds(50);
    };
    // Renews the lease of a member that acts on no route before `epoch` any more.
    using Renew = std::function<Task<Result<QueueRoute>>(Context, std::int64_t epoch)>;

    // `environment` outlives it.
    RouteMembership(Environment& environment, Renew renew, Options options);

    // Renews for ever; ends when it is cancelled.
    Task<void> run();
    // One renewal; run() makes them, this is for who cannot wait.
    Task<Result<void>> renew();

    // Work under a route.  As long as it is held, the route counts as acted upon.
    class Work {
    public:
        Work(std::shared_ptr<Lease> lease, QueueRoute route);
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        Work(Work&&) = default;
        Work& operator=(Work&&) = delete;
        ~Work();

        const QueueRoute& route() const { return route_; }
        // What is done later must not count: nobody waits for this work any more, and the route may
        // be another.  It moves on while the lease is renewed, and is past for good once it was
        // lost.
        MonotonicTime until() const;

    private:
        std::shared_ptr<Lease> lease_;
        QueueRoute route_;
        std::uint64_t held_;
    };
    // Error, retryable: "no-route" while no lease holds.
    Result<Work> begin() const;

private:
    Environment& environment_;
    Renew renew_;
    Options options_;
    std::shared_ptr<Lease> lease_;
    Counter& failed_;
};

}  // namespace rushproof
