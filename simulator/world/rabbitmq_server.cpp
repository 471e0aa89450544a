#include "simulator/world/rabbitmq_server.hpp"

#include <utility>

#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

// Until a batch of messages and acknowledgements is on the disk.
constexpr Duration sync_base = std::chrono::microseconds(500);
constexpr Duration sync_tail = std::chrono::microseconds(200);
constexpr std::size_t body_max = 1'048'576;

}  // namespace

std::uint64_t hash_message(const RabbitMessage& message) {
    return combine64(hash64(message.id), hash64(message.body));
}

std::uint64_t PayloadHash<RabbitGot>::of(const RabbitGot& got) {
    if (!got.delivery) { return 0; }
    return combine64(got.delivery->tag, hash_message(got.delivery->message));
}

std::uint64_t PayloadHash<RabbitMessages>::of(const RabbitMessages& messages) {
    std::uint64_t hash = messages.messages.size();
    for (const RabbitMessage& message : messages.messages) {
        hash = combine64(hash, hash_message(message));
    }
    return hash;
}

RabbitServer::RabbitServer(Network& network, Machine& machine, RabbitServerOptions options)
    : BrokerServer(network, machine),
      options_(options),
      model_(body_max, options.mistake),
      syncs_(keyed_stream(scheduler().seed(), "rabbitmq-sync", hash64(machine.name()))) {}

void RabbitServer::died() {
    model_.kill();
    connections_.clear();
    syncing_ = false;
}

void RabbitServer::client_died(Client client) {
    for (auto it = connections_.begin(); it != connections_.end();) {
        if (it->second.client <= client && it->second.client.machine == client.machine) {
            model_.close_channel(it->first);
            it = connections_.erase(it);
        } else {
            ++it;
        }
    }
}

void RabbitServer::tick() {
    model_.expire(monotonic());
    for (auto it = connections_.begin(); it != connections_.end();) {
        if (it->second.heard + 2 * options_.heartbeat <= monotonic()) {
            model_.close_channel(it->first);
            it = connections_.erase(it);
        } else {
            ++it;
        }
    }
    changed();
}

std::size_t RabbitServer::redeliver() {
    const std::size_t count = model_.close_channels();
    connections_.clear();
    changed();
    return count;
}

Result<void> RabbitServer::hear(RabbitChannel channel) {
    RP_CHECK(admit());
    const auto found = connections_.find(channel);
    if (found == connections_.end()) {
        return failure(ErrorKind::retryable, "channel-closed", "the channel is closed");
    }
    found->second.heard = monotonic();
    return {};
}

void RabbitServer::sync_soon() {
    if (syncing_) { return; }
    syncing_ = true;
    host().spawn("sync", sync(*this));
}

Task<void> RabbitServer::sync(RabbitServer& server) {
    const Duration time = sync_base + server.syncs_.exponential(sync_tail);
    co_await sleep_for(server.host().clock(), time);
    server.model_.sync();
    server.syncing_ = false;
    server.changed();
}

Task<Result<std::int64_t>> RabbitServer::connect(RabbitServer& server, Client client,
                                                 Declarations declarations) {
    RP_CO_CHECK(server.admit());
    for (const auto& [name, options] : declarations) { server.model_.declare(name, options); }
    const RabbitChannel channel = server.model_.open_channel();
    const Connection connection{.client = client, .heard = server.monotonic()};
    if (!server.is_reset(client)) { server.connections_.emplace(channel, connection); }
    co_return static_cast<std::int64_t>(channel);
}

Task<Result<std::int64_t>> RabbitServer::publish(RabbitServer& server, std::string queue,
                                                 RabbitMessage message) {
    RP_CO_CHECK(server.admit());
    RP_CO_TRY(const std::uint64_t number,
              server.model_.publish(queue, std::move(message), server.monotonic()));
    server.changed();
    server.sync_soon();
    const bool lost = server.loses_ack();
    while (!server.model_.confirmed(number)) {
        co_await wait_for_change(server, server.monotonic() + std::chrono::hours(1));
    }
    if (lost) { co_return ack_lost(); }
    co_return static_cast<std::int64_t>(number);
}

Task<Result<RabbitGot>> RabbitServer::get(RabbitServer& server, RabbitChannel channel,
                                          std::string queue, MonotonicTime deadline) {
    RabbitGot got;
    for (;;) {
        RP_CO_CHECK(server.hear(channel));
        if (server.shutting_down()) { co_return got; }
        got.delivery = server.model_.get(channel, queue, server.monotonic());
        if (got.delivery || server.monotonic() >= deadline) { co_return got; }
        co_await wait_for_change(server, deadline);
    }
}

Task<Result<RabbitMessages>> RabbitServer::peek(RabbitServer& server, std::string queue,
                                                std::size_t limit) {
    RP_CO_CHECK(server.admit());
    RabbitMessages messages;
    messages.messages = server.model_.peek(queue, limit);
    co_return messages;
}

Task<Result<std::int64_t>> RabbitServer::size(RabbitServer& server, std::string queue) {
    RP_CO_CHECK(server.admit());
    co_return server.model_.waiting(queue) + server.model_.out(queue);
}

Task<Result<std::int64_t>> RabbitServer::beat(RabbitServer& server, RabbitChannel channel) {
    RP_CO_CHECK(server.hear(channel));
    co_return 0;
}

void RabbitServer::acknowledge(RabbitChannel channel, std::uint64_t tag) {
    if (!hear(channel) || !model_.acknowledge(channel, tag)) { return; }
    changed();
    sync_soon();
}

void RabbitServer::close(RabbitChannel channel) {
    if (connections_.erase(channel) == 0) { return; }
    model_.close_channel(channel);
    changed();
}

}  // namespace rushproof::simulator
