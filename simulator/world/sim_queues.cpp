#include "simulator/world/sim_queues.hpp"

#include <string>

namespace rushproof::simulator {

namespace {

// A connection that broke is noticed by the first who uses it again.
constexpr Duration connect_again_after = std::chrono::milliseconds(100);

tl::unexpected<Error> not_configured(std::string_view broker) {
    return failure(ErrorKind::permanent, "not-configured",
                   "no broker " + std::string(broker) + " is configured");
}

}  // namespace

Task<Result<std::shared_ptr<MessageQueue>>> SimQueues::open(Context context,
                                                            std::string_view provider,
                                                            std::string_view topic) {
    const std::string name(topic);
    for (;;) {
        auto opened = co_await try_to_open(context.deadline, provider, name);
        if (opened || opened.error().kind() == ErrorKind::permanent) { co_return opened; }
        const MonotonicTime again = host_.clock().monotonic() + connect_again_after;
        if (again >= context.deadline) { co_return opened; }
        co_await sleep_until(host_.clock(), again);
    }
}

Task<Result<std::shared_ptr<MessageQueue>>> SimQueues::try_to_open(MonotonicTime deadline,
                                                                   std::string_view provider,
                                                                   std::string name) {
    if (provider == Brokers::nats_name) {
        if (brokers_.nats() == nullptr) { co_return not_configured(provider); }
        const NatsAccess access(host_, network_, *brokers_.nats());
        co_return co_await open_nats(access, brokers_.options().nats, name, deadline);
    }
    if (provider == Brokers::kafka_name) {
        if (brokers_.kafka() == nullptr) { co_return not_configured(provider); }
        const KafkaAccess access(host_, network_, *brokers_.kafka());
        co_return co_await open_kafka(access, brokers_.options().kafka, name, deadline);
    }
    co_return failure(ErrorKind::permanent, "unknown-provider",
                      "there is no provider \"" + std::string(provider) + "\"");
}

Task<Result<std::shared_ptr<JobQueue>>> SimQueues::open_jobs(Context context,
                                                             std::string_view name) {
    if (brokers_.rabbitmq() == nullptr) { co_return not_configured(Brokers::rabbitmq_name); }
    const RabbitAccess access(host_, network_, *brokers_.rabbitmq());
    const std::string queue(name);
    for (;;) {
        auto opened =
            co_await open_rabbitmq(access, brokers_.options().rabbitmq, queue, context.deadline);
        if (opened) { co_return opened; }
        const MonotonicTime again = host_.clock().monotonic() + connect_again_after;
        if (again >= context.deadline) { co_return opened; }
        co_await sleep_until(host_.clock(), again);
    }
}

}  // namespace rushproof::simulator
