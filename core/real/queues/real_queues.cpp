#include "core/real/queues/real_queues.hpp"

#include <utility>

namespace rushproof {

namespace {

tl::unexpected<Error> not_configured(const std::string& broker) {
    return failure(ErrorKind::permanent, "not-configured",
                   "no broker " + broker + " is configured");
}

}  // namespace

RealQueues::RealQueues(asio::any_io_executor executor, QueuesOptions options, Telemetry& telemetry)
    : executor_(std::move(executor)), options_(std::move(options)), telemetry_(telemetry) {}

Task<Result<std::shared_ptr<MessageQueue>>> RealQueues::open(Context context,
                                                             std::string_view provider,
                                                             std::string_view topic) {
    if (provider == "nats") {
        std::string name(topic);
        co_return co_await open_nats(std::move(context), std::move(name));
    }
    if (provider == "kafka") {
        std::string name(topic);
        co_return co_await open_kafka(std::move(context), std::move(name));
    }
    co_return failure(ErrorKind::permanent, "unknown-provider",
                      "no provider is called " + std::string(provider));
}

Task<Result<std::shared_ptr<MessageQueue>>> RealQueues::open_nats(Context context,
                                                                  std::string topic) {
    if (!options_.nats) { co_return not_configured("nats"); }
    if (auto known = nats_queues_[topic].lock()) { co_return known; }
    if (!nats_) {
        RP_CO_TRY(auto connection, NatsConnection::start(executor_, *options_.nats, telemetry_));
        nats_ = std::move(connection);
    }
    const NatsConnection connection = *nats_;
    RP_CO_TRY(auto opened, co_await connection.open(std::move(context), topic));
    // Somebody else may have opened it meanwhile.
    if (auto known = nats_queues_[topic].lock()) { co_return known; }
    nats_queues_[topic] = opened;
    co_return opened;
}

Task<Result<std::shared_ptr<MessageQueue>>> RealQueues::open_kafka(Context context,
                                                                   std::string topic) {
    if (!options_.kafka) { co_return not_configured("kafka"); }
    if (auto known = kafka_queues_[topic].lock()) { co_return known; }
    KafkaOptions options = *options_.kafka;
    if (topic != "messages") {
        options.topic = "rushproof-" + topic;
        options.group.clear();
    }
    RP_CO_TRY(auto opened,
              co_await KafkaQueue::open(std::move(context), std::move(options), telemetry_));
    // Somebody else may have opened it meanwhile.
    if (auto known = kafka_queues_[topic].lock()) { co_return known; }
    kafka_queues_[topic] = opened;
    co_return opened;
}

Task<Result<std::shared_ptr<JobQueue>>> RealQueues::open_jobs(Context, std::string_view name) {
    if (!options_.rabbitmq) { co_return not_configured("rabbitmq"); }
    std::weak_ptr<JobQueue>& kept = job_queues_[std::string(name)];
    if (auto known = kept.lock()) { co_return known; }
    RP_CO_TRY(auto made, make_rabbit_job_queue(std::string(name), *options_.rabbitmq, telemetry_));
    kept = made;
    co_return made;
}

}  // namespace rushproof
