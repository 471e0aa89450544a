#include "simulator/world/sim_queues.hpp"

#include <string>

namespace rushproof::simulator {

namespace {

tl::unexpected<Error> not_configured(std::string_view broker) {
    return failure(ErrorKind::permanent, "not-configured",
                   "no broker " + std::string(broker) + " is configured");
}

}  // namespace

Task<Result<std::shared_ptr<MessageQueue>>> SimQueues::open(Context context,
                                                            std::string_view provider,
                                                            std::string_view topic) {
    const std::string name(topic);
    if (provider == Brokers::nats_name) {
        if (brokers_.nats() == nullptr) { co_return not_configured(provider); }
        const NatsAccess access(host_, network_, *brokers_.nats());
        co_return co_await open_nats(access, brokers_.options().nats, name, context.deadline);
    }
    if (provider == Brokers::kafka_name) {
        if (brokers_.kafka() == nullptr) { co_return not_configured(provider); }
        const KafkaAccess access(host_, network_, *brokers_.kafka());
        co_return co_await open_kafka(access, brokers_.options().kafka, name, context.deadline);
    }
    co_return failure(ErrorKind::permanent, "unknown-provider",
                      "there is no provider \"" + std::string(provider) + "\"");
}

Task<Result<std::shared_ptr<JobQueue>>> SimQueues::open_jobs(Context context,
                                                             std::string_view name) {
    if (brokers_.rabbitmq() == nullptr) { co_return not_configured(Brokers::rabbitmq_name); }
    const RabbitAccess access(host_, network_, *brokers_.rabbitmq());
    co_return co_await open_rabbitmq(access, brokers_.options().rabbitmq, std::string(name),
                                     context.deadline);
}

}  // namespace rushproof::simulator
