// Where messages go: to the processor, if it keeps the queue, else to a broker.
#pragma once
#include <cstdint>
#include <memory>

#include "core/ports/environment.hpp"
#include "core/runtime/queue_choice.hpp"

namespace rushproof::ingest {

class Route {
public:
    Route(Environment& environment, QueueOptions options);

    // Opens what must be open before anything can be published; tried without end.
    Task<void> open();

    // ok: accepted.  Errors as MessageQueue::publish; retryable "unavailable" too while there is no
    // way to publish.  Safe to repeat: a message has its effect once.
    Task<Result<void>> publish(Context context, Message message);

    // Would a message be likely to be accepted?
    Task<bool> healthy(Context context);

private:
    Task<Result<void>> publish_once(Context context, const Message& message);
    Task<Result<void>> call_processor(Context context, const Message& message);

    Environment& environment_;
    QueueOptions options_;
    bool embedded_;
    std::shared_ptr<MessageQueue> queue_;
};

}  // namespace rushproof::ingest
