// The JobQueue port on the simulated RabbitMQ: a queue, one whose messages wait for their next try,
// and one for what was set aside.
#pragma once
#include <memory>
#include <string>

#include "core/ports/job_queue.hpp"
#include "simulator/world/broker_access.hpp"
#include "simulator/world/rabbitmq_server.hpp"

namespace rushproof::simulator {

struct RabbitTwinOptions {
    std::int64_t attempts_max = 5;
    Duration retry_delay = std::chrono::seconds(5);
    std::int64_t waiting_max = 0;  // jobs that wait; more: "queue-full"; 0: no limit
};

using RabbitAccess = BrokerAccess<RabbitServer>;

// Error: retryable "unavailable".
Task<Result<std::shared_ptr<JobQueue>>> open_rabbitmq(RabbitAccess access,
                                                      RabbitTwinOptions options, std::string name,
                                                      MonotonicTime deadline);

}  // namespace rushproof::simulator
