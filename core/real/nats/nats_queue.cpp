#include "core/real/nats/nats_queue.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "core/real/nats/consumer.hpp"
#include "core/real/nats/topic.hpp"

namespace rushproof {

namespace nats {

namespace {

constexpr std::size_t header_reserve = 1024;  // of the largest message, for what the server adds

// A name of NATS: others of its characters mean something.
std::string plain_name(std::string_view name) {
    std::string plain;
    for (const char c : name) {
        const bool good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        if (good) {
            plain += c;
        } else {
            plain += '_' + std::to_string(static_cast<unsigned char>(c)) + '_';
        }
    }
    return plain;
}

std::string lower(std::string_view name) {
    std::string result(name);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c - 'A' + 'a'); }
    }
    return result;
}

std::size_t size_of(const Message& message) {
    std::size_t size = message.id.size() + message.key.size() * 3 + message.body.size();
    for (const auto& [name, value] : message.headers) { size += name.size() + value.size() + 4; }
    return size;
}

class NatsQueue final : public MessageQueue {
public:
    explicit NatsQueue(std::shared_ptr<Topic> topic) : topic_(std::move(topic)) {}

    QueueFeatures features() const override {
        QueueFeatures features;
        features.survives_kill = true;
        features.keeps_key_order = true;
        features.counts_size = true;
        features.counts_attempts = true;
        features.drops_repeats_for = topic_->options.drops_repeats_for;
        return features;
    }

    Result<void> check(const Message& message) const override {
        const Client& client = **topic_->client;
        if (size_of(message) + header_reserve > client.payload_max()) {
            return failure(ErrorKind::permanent, "too-large", "NATS takes no message of this size");
        }
        if (const auto bad = std::ranges::find_if(message.headers,
                                                  [](const auto& header) {
                                                      return !is_header_name(header.first) ||
                                                             !is_header_value(header.second);
                                                  });
            bad != message.headers.end() || !is_header_value(message.id)) {
            return failure(ErrorKind::permanent, "malformed",
                           "a header or the id of the message has a line break in it");
        }
        return {};
    }

    Task<Result<void>> publish(Context context, Message message) override {
        const std::shared_ptr<Topic> topic = topic_;
        Client& client = **topic->client;
        RP_CO_CHECK(check(message));
        Outgoing outgoing = to_wire(*topic, std::move(message));
        const auto answer = co_await client.request(context.deadline, std::move(outgoing));
        if (!answer) {
            if (answer.error().code() != "no-responders") { co_return failure(answer.error()); }
            // The stream is not there (yet): of a server that starts, or that lost its data.
            co_await topic->ensure(context.deadline);
            co_return failure(ErrorKind::retryable, "unavailable", "NATS has no such stream");
        }
        RP_CO_CHECK(read_acceptance(answer->body, topic->names.stream));
        client.reuse(answer->subject);
        ++topic->published;
        co_return Result<void>();
    }

    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override {
        const std::shared_ptr<Topic> topic = topic_;
        RP_CO_CHECK(co_await topic->ensure(context.deadline));
        // All of them, also those of other members: the group is there from now on.
        for (std::size_t share = 0; share < topic->options.shares; ++share) {
            RP_CO_CHECK(co_await topic->ensure_durable(context.deadline, group, share,
                                                       NatsConsumer::answer_within));
        }
        std::unique_ptr<Consumer> consumer = NatsConsumer::start(topic, std::move(group));
        co_return consumer;
    }

    Task<Result<QueueStats>> stats(Context context, std::string group) override {
        const std::shared_ptr<Topic> topic = topic_;
        Client& client = **topic->client;
        QueueStats stats;
        stats.published = topic->published;
        stats.delivered = topic->delivered;
        stats.capacity = topic->options.messages_max;
        RP_CO_TRY(const StreamState stream,
                  co_await stream_state(client, context.deadline, topic->names.stream));
        RP_CO_TRY(const auto known,
                  co_await durables(client, context.deadline, topic->names.stream));
        bool joined = false;
        for (std::size_t share = 0; share < topic->options.shares; ++share) {
            const auto found = known.find(topic->durable(group, share));
            if (found == known.end()) { continue; }
            joined = true;
            stats.unfinished += found->second.pending + found->second.unacknowledged;
        }
        if (!joined) { stats.unfinished = stream.messages; }
        stats.size = stats.unfinished;
        co_return stats;
    }

private:
    std::shared_ptr<Topic> topic_;
};

}  // namespace

Task<Result<void>> Topic::ensure(MonotonicTime deadline) const {
    const std::shared_ptr<ClientHandle> kept = client;
    StreamLimits limits;
    limits.messages = options.messages_max;
    limits.bytes = options.bytes_max;
    limits.repeats = options.drops_repeats_for;
    RP_CO_CHECK(co_await ensure_stream(**kept, deadline, names.stream, names.stream_takes, limits));
    co_return co_await ensure_table(**kept, deadline, std::string(table_stream),
                                    "rushproof-group.*.*");
}

std::string Topic::durable(const std::string& group, std::size_t share) const {
    return plain_name(group) + "-" + std::to_string(share);
}

Task<Result<DurableState>> Topic::ensure_durable(MonotonicTime deadline, std::string group,
                                                 std::size_t share, Duration answer_within) const {
    const std::shared_ptr<ClientHandle> kept = client;
    std::string name = durable(group, share);
    std::string subject = names.share(share);
    co_return co_await nats::ensure_durable(**kept, deadline, names.stream, std::move(name),
                                            std::move(subject), answer_within, options.held_max);
}

std::string Topic::table_subject(const std::string& group) const {
    return "rushproof-group." + names.stream + "." + plain_name(group);
}

Outgoing to_wire(const Topic& topic, Message message) {
    const std::string& spread_by = message.key.empty() ? message.id : message.key;
    Outgoing outgoing;
    outgoing.subject = topic.names.share(hash64(spread_by) % topic.options.shares);
    outgoing.headers = std::move(message.headers);
    if (!message.id.empty()) { outgoing.headers.emplace_back(id_header, message.id); }
    if (!message.key.empty()) { outgoing.headers.emplace_back(key_header, escape(message.key)); }
    outgoing.body = std::move(message.body);
    return outgoing;
}

Message from_wire(Incoming incoming, const std::string& stream, std::uint64_t sequence) {
    Message message;
    for (auto& [name, value] : incoming.headers) {
        if (name == id_header) {
            message.id = std::move(value);
        } else if (name == key_header) {
            message.key = unescape(value);
        } else {
            message.headers.emplace_back(lower(name), std::move(value));
        }
    }
    if (message.id.empty()) { message.id = stream + ":" + std::to_string(sequence); }
    message.body = std::move(incoming.body);
    return message;
}

}  // namespace nats

std::string NatsTopic::share(std::size_t index) const {
    return index == 0 ? subject : subject + "-" + std::to_string(index);
}

NatsTopic nats_topic(std::string_view topic) {
    NatsTopic names;
    if (topic == "messages") {
        names.stream = "DIPLOM_STREAM";
        names.subject = "diplom.messages";
        names.stream_takes = {"diplom.*"};
        return names;
    }
    const std::string plain = nats::plain_name(topic);
    names.stream = "RUSHPROOF_";
    for (const char c : plain) {
        names.stream += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    names.subject = "rushproof." + plain;
    names.stream_takes = {names.subject};
    return names;
}

Result<NatsConnection> NatsConnection::start(asio::any_io_executor executor, NatsOptions options,
                                             Telemetry& telemetry) {
    RP_TRY(auto servers, nats::parse_servers(options.url));
    if (options.shares == 0) {
        return failure(ErrorKind::permanent, "malformed", "a topic of NATS needs a share");
    }
    auto client =
        std::make_shared<nats::Client>(std::move(executor), std::move(servers), telemetry);
    client->start();
    return NatsConnection(std::make_shared<nats::ClientHandle>(std::move(client)),
                          std::move(options), telemetry);
}

Task<Result<std::shared_ptr<MessageQueue>>> NatsConnection::open(Context context,
                                                                 std::string topic) const {
    NatsTopic names = nats_topic(topic);
    if (topic != "messages") {
        for (std::size_t share = 1; share < options_.shares; ++share) {
            names.stream_takes.push_back(names.share(share));
        }
    }
    const auto shared = std::make_shared<nats::Topic>(
        nats::Topic{client_, options_, std::move(names), *telemetry_});
    if (!co_await (*client_)->wait_until_connected(context.deadline)) {
        co_return failure(ErrorKind::retryable, "unavailable", "NATS cannot be reached");
    }
    RP_CO_CHECK(co_await shared->ensure(context.deadline));
    std::shared_ptr<MessageQueue> queue = std::make_shared<nats::NatsQueue>(shared);
    co_return queue;
}

bool NatsConnection::connected() const { return (*client_)->connected(); }

}  // namespace rushproof
