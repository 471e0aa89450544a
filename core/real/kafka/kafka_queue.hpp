// Queues of Apache Kafka, by librdkafka.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "core/ports/message_queue.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

struct KafkaOptions {
    std::string brokers;  // host:port, several separated by commas
    std::string topic;    // as the brokers know it; made when it is missing
    // As whom all groups that are asked for are known to the brokers; empty: as they are called.
    std::string group;
    int partitions = 8;    // of a topic that is made; the most members of a group that have work
    int replication = -1;  // of a topic that is made; -1: as the brokers are configured
    // Of a message with its key and headers; a larger one is refused with "too-large".
    std::size_t message_bytes = 1'000'000;
    // Messages on their way to the brokers; more are refused with "queue-full".
    std::size_t publishing_max = 10'000;
    // For how long the client tries to deliver a message; then it is refused, if it certainly did
    // not arrive.  Shorter than callers wait, who would not know otherwise.
    Duration delivery_timeout = std::chrono::seconds(2);
    // A member that was not heard of for so long loses its partitions.  The brokers have a least.
    Duration session_timeout = std::chrono::seconds(6);
    // For how long a member may finish what it holds of a partition that is to go to another
    // member.
    Duration hand_over_within = std::chrono::seconds(60);
    // What a member keeps ready for next(); beyond it stops fetching, until half of it is left.
    // librdkafka takes up to a second to go on then, which half should last for: else a backlog
    // stays for as long as that much comes in a second.
    std::size_t ready_messages = 20'000;
    std::size_t ready_bytes = 8 << 20;
};

namespace kafka {
class Administration;
class Producer;
class Reaper;
}  // namespace kafka

// Everybody calls it on one executor, on which callers are resumed.  Clients connect again for
// ever, so that errors end when the brokers are back.
class KafkaQueue final : public MessageQueue {
public:
    // `telemetry` outlives the queue.  Errors: retryable "unavailable", permanent "not-configured".
    static Task<Result<std::shared_ptr<KafkaQueue>>> open(Context context, KafkaOptions options,
                                                          Telemetry& telemetry);
    ~KafkaQueue() override;
    KafkaQueue(const KafkaQueue&) = delete;
    KafkaQueue& operator=(const KafkaQueue&) = delete;

    QueueFeatures features() const override;
    Result<void> check(const Message& message) const override;
    Task<Result<void>> publish(Context context, Message message) override;
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override;
    Task<Result<QueueStats>> stats(Context context, std::string group) override;

private:
    KafkaQueue(asio::any_io_executor executor, KafkaOptions options, Telemetry& telemetry);

    asio::any_io_executor executor_;
    KafkaOptions options_;
    Telemetry& telemetry_;
    std::shared_ptr<kafka::Reaper> asker_;   // one thread, as administration is not shared
    std::shared_ptr<kafka::Reaper> reaper_;  // ends clients
    std::shared_ptr<kafka::Administration> administration_;
    std::shared_ptr<kafka::Producer> producer_;
    std::shared_ptr<std::uint64_t> delivered_;  // by all members that this queue made
};

}  // namespace rushproof
