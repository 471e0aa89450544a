#include "simulator/world/nats_client.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "simulator/world/nats_member.hpp"

namespace rushproof::simulator {

namespace {

NatsStreamOptions limits_of(const NatsTopic& topic) {
    NatsStreamOptions limits;
    limits.duplicate_window = topic.options.duplicate_window;
    limits.messages_max = topic.options.messages_max;
    return limits;
}

class SimNatsQueue final : public MessageQueue {
public:
    explicit SimNatsQueue(std::shared_ptr<NatsTopic> topic) : topic_(std::move(topic)) {}

    QueueFeatures features() const override {
        QueueFeatures features;
        features.survives_kill = true;
        features.counts_attempts = true;
        features.drops_repeats_for = topic_->options.duplicate_window;
        return features;
    }

    Result<void> check(const Message& message) const override {
        if (message.body.size() <= limits_of(*topic_).body_max) { return {}; }
        return failure(ErrorKind::permanent, "too-large", "NATS takes no message of this size");
    }

    Task<Result<void>> publish(Context context, Message message) override {
        RP_CO_CHECK(check(message));
        const std::shared_ptr<NatsTopic> topic = topic_;
        const std::uint64_t payload = hash_message(message);
        auto serve = [&server = topic->access.server(), stream = topic->stream,
                      stored = topic->to_nats(std::move(message))]() mutable {
            return NatsServer::publish(server, std::move(stream), std::move(stored));
        };
        const auto published = co_await topic->access.ask<std::int64_t>(
            "nats.publish", payload, context.deadline, std::move(serve));
        if (!published) {
            if (published.error().code() != "not-found") { co_return failure(published.error()); }
            // Of a server that lost its data.
            co_await NatsTopic::ensure(topic, context.deadline);
            co_return failure(ErrorKind::retryable, "unavailable", "NATS has no such stream");
        }
        ++topic->published;
        co_return Result<void>();
    }

    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override {
        const std::shared_ptr<NatsTopic> topic = topic_;
        RP_CO_CHECK(co_await NatsTopic::ensure(topic, context.deadline));
        for (std::size_t share = 0; share < topic->options.shares; ++share) {
            RP_CO_CHECK(co_await NatsTopic::ensure_durable(topic, group, share, context.deadline));
        }
        co_return start_nats_consumer(topic, std::move(group));
    }

    Task<Result<QueueStats>> stats(Context context, std::string group) override {
        const std::shared_ptr<NatsTopic> topic = topic_;
        RP_CO_TRY(const NatsStates states, co_await NatsTopic::states(topic, context.deadline));
        QueueStats stats;
        stats.published = topic->published;
        stats.delivered = topic->delivered;
        stats.capacity = topic->options.messages_max;
        bool joined = false;
        for (std::size_t share = 0; share < topic->options.shares; ++share) {
            const auto found = states.consumers.find(NatsTopic::durable(group, share));
            if (found == states.consumers.end()) { continue; }
            joined = true;
            stats.unfinished += found->second.waiting + found->second.ack_pending;
        }
        if (!joined) { stats.unfinished = states.messages; }
        stats.size = stats.unfinished;
        co_return stats;
    }

private:
    std::shared_ptr<NatsTopic> topic_;
};

}  // namespace

std::string NatsTopic::subject(std::size_t share) const {
    return share == 0 ? stream : stream + "-" + std::to_string(share);
}

std::string NatsTopic::durable(const std::string& group, std::size_t share) {
    return group + "-" + std::to_string(share);
}

NatsMessage NatsTopic::to_nats(Message message) const {
    const std::string& spread_by = message.key.empty() ? message.id : message.key;
    NatsMessage stored;
    stored.subject = subject(hash64(spread_by) % options.shares);
    stored.id = std::move(message.id);
    stored.headers = std::move(message.headers);
    if (!message.key.empty()) { stored.headers.emplace_back(key_header, std::move(message.key)); }
    stored.body = std::move(message.body);
    return stored;
}

Message NatsTopic::from_nats(const NatsMessage& stored) {
    Message message;
    message.id = stored.id;
    for (const auto& [name, value] : stored.headers) {
        if (name == key_header) {
            message.key = value;
        } else {
            message.headers.emplace_back(name, value);
        }
    }
    message.body = stored.body;
    return message;
}

Task<Result<void>> NatsTopic::ensure(std::shared_ptr<NatsTopic> topic, MonotonicTime deadline) {
    auto serve = [&server = topic->access.server(), stream = topic->stream,
                  limits = limits_of(*topic)] {
        return NatsServer::ensure_stream(server, stream, limits);
    };
    const auto made = co_await topic->access.ask<std::int64_t>("nats.ensure stream", 0, deadline,
                                                               std::move(serve));
    if (!made) { co_return failure(unavailable(made.error())); }
    co_return Result<void>();
}

Task<Result<void>> NatsTopic::ensure_durable(std::shared_ptr<NatsTopic> topic, std::string group,
                                             std::size_t share, MonotonicTime deadline) {
    NatsConsumerOptions consumer;
    consumer.filter = topic->subject(share);
    consumer.ack_wait = topic->options.ack_wait;
    consumer.ack_pending_max = topic->options.held_max;
    const std::string name = durable(group, share);
    auto serve = [&server = topic->access.server(), stream = topic->stream, name, consumer] {
        return NatsServer::ensure_consumer(server, stream, name, consumer);
    };
    const auto made = co_await topic->access.ask<std::int64_t>("nats.ensure consumer", hash64(name),
                                                               deadline, std::move(serve));
    if (!made) { co_return failure(unavailable(made.error())); }
    co_return Result<void>();
}

Task<Result<NatsStates>> NatsTopic::states(std::shared_ptr<NatsTopic> topic,
                                           MonotonicTime deadline) {
    auto serve = [&server = topic->access.server(), stream = topic->stream] {
        return NatsServer::states(server, stream);
    };
    auto states =
        co_await topic->access.ask<NatsStates>("nats.states", 0, deadline, std::move(serve));
    if (!states) { co_return failure(unavailable(states.error())); }
    co_return states;
}

Error unavailable(const Error& error) {
    return {ErrorKind::retryable, "unavailable", error.message()};
}

Task<Result<std::shared_ptr<MessageQueue>>> open_nats(NatsAccess access, NatsTwinOptions options,
                                                      std::string topic, MonotonicTime deadline) {
    const auto shared = std::make_shared<NatsTopic>(
        NatsTopic{.access = access, .options = options, .stream = std::move(topic)});
    RP_CO_CHECK(co_await NatsTopic::ensure(shared, deadline));
    std::shared_ptr<MessageQueue> queue = std::make_shared<SimNatsQueue>(shared);
    co_return queue;
}

}  // namespace rushproof::simulator
