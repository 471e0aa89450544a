// The brokers that a process can reach, by name.  What needs none (memory, the database) is made of
// core/runtime by the role that owns it.
#pragma once
#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/context.hpp"
#include "core/ports/job_queue.hpp"
#include "core/ports/message_queue.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

class Queues {
public:
    virtual ~Queues() = default;

    // `provider` is "nats" or "kafka"; `topic` a word of our own ("messages", "inventory-events"),
    // which the configuration maps to the broker's names.  What does not exist there yet is made.
    // Errors: permanent "unknown-provider", "not-configured"; retryable "unavailable".
    virtual Task<Result<std::shared_ptr<MessageQueue>>> open(Context context,
                                                             std::string_view provider,
                                                             std::string_view topic) = 0;

    // Jobs of RabbitMQ.  Errors as above; without it see open_jobs of
    // core/runtime/queue_choice.hpp.
    virtual Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context context,
                                                              std::string_view name) = 0;
};

// Of a process without brokers.
class NoQueues final : public Queues {
public:
    Task<Result<std::shared_ptr<MessageQueue>>> open(Context, std::string_view provider,
                                                     std::string_view) override {
        co_return failure(ErrorKind::permanent, "not-configured",
                          "no broker " + std::string(provider) + " is configured");
    }
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context, std::string_view) override {
        co_return failure(ErrorKind::permanent, "not-configured", "no RabbitMQ is configured");
    }
};

}  // namespace rushproof
