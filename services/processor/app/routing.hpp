// Which queue this processor takes messages from, and where it puts those that it is given: follows
// the route, and takes the steps of a switch.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/ports/environment.hpp"
#include "core/runtime/queue_choice.hpp"
#include "core/runtime/queue_switch.hpp"
#include "core/runtime/route_membership.hpp"
#include "core/runtime/scope.hpp"
#include "services/processor/app/divergences.hpp"
#include "services/processor/app/pool.hpp"
#include "services/processor/processor.hpp"

namespace rushproof::processor {

class Routing {
public:
    // All outlive it.
    Routing(Environment& environment, const Options& options, Pool& pool, Divergences& divergences);

    // From now on it has a place on the route, and the pool takes from the queue that is consumed.
    void start();
    // Finishes what the pool has, and within `grace` what would end with this process.
    Task<void> stop(Duration grace);

    // Into `provider`, which lives here; or, when that is empty, to where the route leads.
    Task<Result<void>> publish(Context context, Message message, std::string provider);

    // Of the queue that is consumed; retryable "unavailable" while there is none.
    Task<Result<QueueStats>> stats(Context context);
    bool is_open() const { return source_.has_value(); }
    QueueFeatures features() const { return source_->queue->features(); }
    // Empty until there is one.
    const std::string& provider() const { return provider_; }
    // Retryable "no-route" while it is not known.
    Result<QueueRoute> route() const;
    QueueSwitchboard& switchboard() { return switchboard_; }
    // Opens it if it can be used.
    Task<Result<void>> reach(Context context, std::string provider);
    // The composite that was opened; null if there is none.
    CompositeQueue* composite();
    // After stop(): messages that end with this process.
    Task<std::int64_t> left_behind();

private:
    struct Source {
        std::shared_ptr<MessageQueue> queue;
        std::unique_ptr<Consumer> consumer;
    };

    Task<void> prepare();
    Task<void> advance_for_ever();
    Task<void> follow();
    Task<void> leave_source();
    Task<Result<void>> take_from(std::string provider);
    Task<void> look_whether_drained(const QueueRoute& route);
    // In the queue that is consumed, as far as a step of the switch waits for it.
    Task<Result<std::int64_t>> unfinished(const QueueRoute& route);
    Task<Result<QueueRoute>> renew(Context context, std::int64_t epoch);
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context, std::string provider);
    Task<void> pause(int tries, const Error& error);
    Context step_context() const;
    bool is_mine(const std::string& order) const;

    Environment& environment_;
    const Options& options_;
    Pool& pool_;
    const std::string id_;
    QueueSwitchboard switchboard_;
    RouteMembership membership_;
    Divergences& divergences_;
    std::map<std::string, OpenedQueue> open_;  // by provider
    std::optional<Source> source_;
    std::string provider_;       // of the source
    std::int64_t drained_ = 0;   // the epoch of the route whose queue was found empty
    std::int64_t draining_ = 0;  // ... and of the one that is being looked at
    std::uint64_t finished_before_ = 0;
    std::int64_t carried_ = 0;
    std::string last_trouble_;
    bool ending_ = false;
    Scope following_;  // ends by itself, between messages
    Scope scope_;
};

}  // namespace rushproof::processor
