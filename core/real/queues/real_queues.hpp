// The brokers that a process can reach.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/ports/queues.hpp"
#include "core/ports/telemetry.hpp"
#include "core/real/kafka/kafka_queue.hpp"
#include "core/real/nats/nats_queue.hpp"
#include "core/real/rabbitmq/rabbit_job_queue.hpp"

namespace rushproof {

// What is not given is not configured.
struct QueuesOptions {
    std::optional<NatsOptions> nats;
    // Its topic and group are those of "messages"; any other topic t is rushproof-t.
    std::optional<KafkaOptions> kafka;
    std::optional<RabbitOptions> rabbitmq;
};

// One per executor, which everything runs on.  Connects when something is opened for the first
// time; what is open already is shared.
class RealQueues final : public Queues {
public:
    RealQueues(asio::any_io_executor executor, QueuesOptions options, Telemetry& telemetry);

    Task<Result<std::shared_ptr<MessageQueue>>> open(Context context, std::string_view provider,
                                                     std::string_view topic) override;
    Task<Result<std::shared_ptr<JobQueue>>> open_jobs(Context context,
                                                      std::string_view name) override;

private:
    Task<Result<std::shared_ptr<MessageQueue>>> open_nats(Context context, std::string topic);

    Task<Result<std::shared_ptr<MessageQueue>>> open_kafka(Context context, std::string topic);

    asio::any_io_executor executor_;
    QueuesOptions options_;
    Telemetry& telemetry_;
    std::optional<NatsConnection> nats_;
    std::map<std::string, std::weak_ptr<MessageQueue>> nats_queues_;   // by topic
    std::map<std::string, std::weak_ptr<MessageQueue>> kafka_queues_;  // by topic
    std::map<std::string, std::weak_ptr<JobQueue>> job_queues_;
};

}  // namespace rushproof
