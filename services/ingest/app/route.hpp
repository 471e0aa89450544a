// Where messages go: to the processor, if it keeps the queue, else to a broker.  Which of them it
// is may change at any time; the processors keep the route (core/runtime/queue_route.hpp).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/ports/environment.hpp"
#include "core/runtime/queue_choice.hpp"
#include "core/runtime/route_membership.hpp"

namespace rushproof::ingest {

class Route {
public:
    // Of `options` it takes how queues are opened; which one is used the route says.
    Route(Environment& environment, QueueOptions options);

    // Keeps its place on the route; ends when it is cancelled.
    Task<void> run() { return membership_.run(); }

    // ok: accepted.  Errors as MessageQueue::publish; retryable "no-route" and "queue-switching"
    // while it is not known, or nobody may publish.  Safe to repeat: a message has its effect once.
    Task<Result<void>> publish(Context context, Message message);

    // Would a message be likely to be accepted?
    Task<bool> healthy(Context context);

private:
    Task<Result<QueueRoute>> renew(Context context, std::int64_t epoch);
    Task<Result<void>> publish_once(Context context, const Message& message);
    Task<Result<void>> publish_to(Context context, const Message& message, std::string provider);
    Task<Result<void>> call_processor(Context context, const Message& message,
                                      std::string provider);
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context, std::string provider);
    // To be repaired by the processor.
    Task<Result<void>> record(Context context, Divergence divergence);
    bool lives_in_processor(const std::string& provider) const;

    Environment& environment_;
    QueueOptions options_;
    const std::string id_;
    RouteMembership membership_;
    std::map<std::string, std::shared_ptr<MessageQueue>> open_;  // by provider
};

}  // namespace rushproof::ingest
