#include "simulator/world/kafka_client.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "simulator/world/kafka_topic.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration request_timeout = std::chrono::seconds(3);
constexpr Duration retry_after = std::chrono::milliseconds(100);

Error unavailable(const Error& error) {
    return {ErrorKind::retryable, "unavailable", error.message()};
}

Result<void> check_record(const KafkaTopic& topic, const Message& message) {
    if (message.body.size() <= topic.access.server().record_max()) { return {}; }
    return failure(ErrorKind::permanent, "too-large", "Kafka takes no message of this size");
}

class SimKafkaQueue final : public MessageQueue {
public:
    explicit SimKafkaQueue(std::shared_ptr<KafkaTopic> topic)
        : topic_(std::move(topic)), producing_(std::make_shared<KafkaProducing>(topic_)) {}

    QueueFeatures features() const override {
        QueueFeatures features;
        features.survives_kill = true;
        features.counts_size = false;
        return features;
    }

    Result<void> check(const Message& message) const override {
        return check_record(*topic_, message);
    }

    Task<Result<void>> publish(Context context, Message message) override {
        return KafkaProducing::publish(producing_, context.deadline, std::move(message));
    }

    Task<Result<std::unique_ptr<Consumer>>> join(Context, std::string group) override {
        co_return start_kafka_consumer(topic_, std::move(group));
    }

    Task<Result<QueueStats>> stats(Context context, std::string group) override {
        const std::shared_ptr<KafkaTopic> topic = topic_;
        const KafkaGroupName name{.group = std::move(group), .topic = topic->name};
        auto serve = [&server = topic->access.server(), name] {
            return KafkaServer::lag(server, name);
        };
        const auto lag = co_await topic->access.ask<std::int64_t>("kafka.lag", 0, context.deadline,
                                                                  std::move(serve));
        if (!lag) { co_return failure(unavailable(lag.error())); }
        QueueStats stats;
        stats.published = topic->published;
        stats.delivered = topic->delivered;
        stats.unfinished = *lag;
        co_return stats;
    }

private:
    std::shared_ptr<KafkaTopic> topic_;
    std::shared_ptr<KafkaProducing> producing_;
};

}  // namespace

std::int32_t KafkaTopic::partition_of(const Message& message) const {
    const std::string& spread_by = message.key.empty() ? message.id : message.key;
    return static_cast<std::int32_t>(hash64(spread_by) % static_cast<std::uint64_t>(partitions));
}

KafkaRecord KafkaTopic::to_kafka(Message message) {
    KafkaRecord record;
    record.key = std::move(message.key);
    record.headers = std::move(message.headers);
    record.headers.emplace_back(id_header, std::move(message.id));
    record.value = std::move(message.body);
    return record;
}

Message KafkaTopic::from_kafka(const KafkaRecord& record) {
    Message message;
    message.key = record.key;
    for (const auto& [name, value] : record.headers) {
        if (name == id_header) {
            message.id = value;
        } else {
            message.headers.emplace_back(name, value);
        }
    }
    message.body = record.value;
    return message;
}

KafkaProducing::KafkaProducing(std::shared_ptr<KafkaTopic> topic)
    : topic_(std::move(topic)), partitions_(static_cast<std::size_t>(topic_->partitions)) {}

Task<Result<void>> KafkaProducing::publish(Self self, MonotonicTime deadline, Message message) {
    const std::shared_ptr<KafkaTopic> topic = self->topic_;
    RP_CO_CHECK(check_record(*topic, message));
    if (self->waiting_ >= topic->options.waiting_max) {
        co_return failure(ErrorKind::retryable, "queue-full", "too many messages wait to be sent");
    }
    if (deadline <= topic->access.now()) {
        co_return failure(ErrorKind::retryable, "unavailable", "the deadline had passed");
    }
    const std::int32_t number = topic->partition_of(message);
    const MonotonicTime give_up = topic->access.now() + topic->options.message_timeout;
    auto start = [self, number, give_up,
                  record = KafkaTopic::to_kafka(std::move(message))](ReplyTo<bool> to) mutable {
        Partition& partition = self->partitions_[static_cast<std::size_t>(number)];
        partition.waiting.push_back({std::move(record), to, give_up});
        ++self->waiting_;
        if (std::exchange(partition.sending, true)) { return; }
        self->topic_->access.host().spawn("kafka producer", send(self, number));
    };
    const auto sent =
        co_await topic->access.host().reply<bool>("acknowledged", deadline, std::move(start));
    if (!sent) { co_return failure(sent.error()); }
    ++topic->published;
    co_return Result<void>();
}

Task<void> KafkaProducing::send(Self self, std::int32_t number) {
    Partition& partition = self->partitions_[static_cast<std::size_t>(number)];
    Host& host = self->topic_->access.host();
    while (!partition.waiting.empty()) {
        std::vector<KafkaRecord> records;
        std::vector<ReplyTo<bool>> askers;
        const MonotonicTime give_up = partition.waiting.front().give_up;
        while (!partition.waiting.empty() && records.size() < self->topic_->options.batch_max) {
            records.push_back(std::move(partition.waiting.front().record));
            askers.push_back(partition.waiting.front().to);
            partition.waiting.pop_front();
        }
        self->waiting_ -= records.size();
        const auto sent = co_await send_batch(self, number, std::move(records), give_up);
        for (const ReplyTo<bool>& to : askers) {
            if (sent) {
                host.answer(to, Result<bool>(true));
            } else {
                host.answer(to, Result<bool>(failure(sent.error())));
            }
        }
    }
    partition.sending = false;
}

Task<Result<void>> KafkaProducing::begin_session(Self self, MonotonicTime deadline) {
    if (self->session_ >= 0) { co_return Result<void>(); }
    const KafkaAccess& access = self->topic_->access;
    auto serve = [&server = access.server()] { return KafkaServer::init_producer(server); };
    const auto session =
        co_await access.ask<std::int64_t>("kafka.init producer", 0, deadline, std::move(serve));
    if (!session) { co_return failure(unavailable(session.error())); }
    if (self->session_ < 0) { self->session_ = *session; }
    co_return Result<void>();
}

Task<Result<void>> KafkaProducing::send_batch(Self self, std::int32_t number,
                                              std::vector<KafkaRecord> records,
                                              MonotonicTime give_up) {
    const KafkaAccess& access = self->topic_->access;
    Partition& partition = self->partitions_[static_cast<std::size_t>(number)];
    KafkaBatch batch;
    batch.topic = self->topic_->name;
    batch.partition = number;
    batch.records = std::move(records);
    std::uint64_t payload = batch.records.size();
    for (const KafkaRecord& record : batch.records) {
        payload = combine64(payload, hash64(record.value));
    }
    bool may_be_there = false;
    while (access.now() < give_up) {
        const MonotonicTime deadline = std::min(give_up, access.now() + request_timeout);
        if (const auto begun = co_await begin_session(self, deadline); begun) {
            if (std::exchange(partition.session, self->session_) != self->session_) {
                partition.sequence = 0;
            }
            batch.producer = KafkaProducer{.id = partition.session, .epoch = 0};
            batch.sequence = partition.sequence;
            auto serve = [&server = access.server(), batch] {
                return KafkaServer::produce(server, batch);
            };
            const auto sent = co_await access.ask<std::int64_t>("kafka.produce", payload, deadline,
                                                                std::move(serve));
            if (sent) {
                partition.sequence += static_cast<std::int64_t>(batch.records.size());
                co_return Result<void>();
            }
            if (sent.error().kind() == ErrorKind::permanent) { co_return failure(sent.error()); }
            may_be_there |= sent.error().kind() == ErrorKind::unknown_outcome;
            // The log has lost what came before: only a new session can go on.
            if (sent.error().code() == "out-of-order-sequence") { self->session_ = -1; }
        }
        co_await sleep_for(access.clock(), retry_after);
    }
    if (!may_be_there) {
        co_return failure(ErrorKind::retryable, "unavailable", "Kafka cannot be reached");
    }
    // Whether it is there is not known: what comes next must not be taken for its repeat.
    self->session_ = -1;
    co_return failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                      "Kafka did not acknowledge in time");
}

Task<Result<std::shared_ptr<MessageQueue>>> open_kafka(KafkaAccess access, KafkaTwinOptions options,
                                                       std::string topic, MonotonicTime deadline) {
    auto serve = [&server = access.server(), topic] {
        return KafkaServer::metadata(server, topic);
    };
    const auto partitions = co_await access.ask<std::int64_t>("kafka.metadata", hash64(topic),
                                                              deadline, std::move(serve));
    if (!partitions) { co_return failure(unavailable(partitions.error())); }
    const auto shared = std::make_shared<KafkaTopic>(
        KafkaTopic{.access = access,
                   .options = options,
                   .name = std::move(topic),
                   .partitions = static_cast<std::int32_t>(*partitions)});
    std::shared_ptr<MessageQueue> queue = std::make_shared<SimKafkaQueue>(shared);
    co_return queue;
}

}  // namespace rushproof::simulator
