// The MessageQueue port on the simulated Kafka, as a librdkafka client does it: an idempotent
// producer, and group members that keep what they hold until it is acknowledged.
#pragma once
#include <memory>
#include <string>

#include "core/ports/message_queue.hpp"
#include "simulator/world/broker_access.hpp"
#include "simulator/world/kafka_server.hpp"

namespace rushproof::simulator {

// As core/real/kafka has them.
struct KafkaTwinOptions {
    Duration session_timeout = std::chrono::seconds(6);
    Duration heartbeat = std::chrono::seconds(1);
    Duration rebalance_timeout = std::chrono::minutes(5);
    Duration message_timeout = std::chrono::seconds(30);  // then its producer gives up
    std::size_t batch_max = 100;
    std::size_t waiting_max = 10'000;  // messages that a producer has not sent; more: "queue-full"
    std::size_t prefetch = 200;
};

using KafkaAccess = BrokerAccess<KafkaServer>;

// Error: retryable "unavailable".
Task<Result<std::shared_ptr<MessageQueue>>> open_kafka(KafkaAccess access, KafkaTwinOptions options,
                                                       std::string topic, MonotonicTime deadline);

}  // namespace rushproof::simulator
