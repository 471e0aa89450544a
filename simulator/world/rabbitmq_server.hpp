// A RabbitMQ server as a process on the simulated network.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "simulator/models/rabbitmq/broker.hpp"
#include "simulator/world/broker_server.hpp"

namespace rushproof::simulator {

struct RabbitGot {
    std::optional<RabbitDelivery> delivery;
};
template <>
struct PayloadHash<RabbitGot> {
    static std::uint64_t of(const RabbitGot& got);
};

struct RabbitMessages {
    std::vector<RabbitMessage> messages;
};
template <>
struct PayloadHash<RabbitMessages> {
    static std::uint64_t of(const RabbitMessages& messages);
};

std::uint64_t hash_message(const RabbitMessage& message);

struct RabbitServerOptions {
    Duration heartbeat = std::chrono::seconds(10);  // twice without one: the connection is closed
    RabbitMistake mistake = RabbitMistake::none;
};

// The requests are coroutines of this server's process, and answer beside what the model says:
// retryable "unavailable" while there is no leader, retryable "channel-closed".
class RabbitServer final : public BrokerServer {
public:
    RabbitServer(Network& network, Machine& machine, RabbitServerOptions options);

    Duration heartbeat() const { return options_.heartbeat; }
    std::size_t redeliver() override;

    using Declarations = std::map<std::string, RabbitQueueOptions>;
    // A connection with a channel; -> the channel.
    static Task<Result<std::int64_t>> connect(RabbitServer& server, Client client,
                                              Declarations declarations);
    // Answers once it is confirmed.
    static Task<Result<std::int64_t>> publish(RabbitServer& server, std::string queue,
                                              RabbitMessage message);
    // One, or none at the deadline.
    static Task<Result<RabbitGot>> get(RabbitServer& server, RabbitChannel channel,
                                       std::string queue, MonotonicTime deadline);
    static Task<Result<RabbitMessages>> peek(RabbitServer& server, std::string queue,
                                             std::size_t limit);
    // What waits or is out.
    static Task<Result<std::int64_t>> size(RabbitServer& server, std::string queue);
    // 0 while the channel is open.
    static Task<Result<std::int64_t>> beat(RabbitServer& server, RabbitChannel channel);
    // Without an answer.
    void acknowledge(RabbitChannel channel, std::uint64_t tag);
    void close(RabbitChannel channel);

private:
    struct Connection {
        Client client;
        MonotonicTime heard;
    };

    void died() override;
    std::size_t power_lost() override { return 0; }
    void client_died(Client client) override;
    void tick() override;

    Result<void> hear(RabbitChannel channel);
    void sync_soon();
    static Task<void> sync(RabbitServer& server);

    RabbitServerOptions options_;
    RabbitBroker model_;
    std::map<RabbitChannel, Connection> connections_;
    bool syncing_ = false;
    RandomStream syncs_;
};

}  // namespace rushproof::simulator
