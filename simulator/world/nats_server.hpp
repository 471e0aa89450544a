// A NATS server with JetStream, as a process on the simulated network.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulator/models/nats/stream.hpp"
#include "simulator/world/broker_server.hpp"

namespace rushproof::simulator {

struct NatsFetched {
    std::vector<NatsDelivery> deliveries;
};
template <>
struct PayloadHash<NatsFetched> {
    static std::uint64_t of(const NatsFetched& fetched);
};

// By consumer.
struct NatsStates {
    std::map<std::string, NatsConsumerInfo> consumers;
    std::int64_t messages = 0;  // of the stream
};
template <>
struct PayloadHash<NatsStates> {
    static std::uint64_t of(const NatsStates& states);
};

// The last message of a subject of a table; revision 0: there is none.
struct NatsEntry {
    std::uint64_t revision = 0;
    std::string text;
};
template <>
struct PayloadHash<NatsEntry> {
    static std::uint64_t of(const NatsEntry& entry);
};

struct NatsServerOptions {
    Duration sync_interval = std::chrono::minutes(2);
    NatsMistake mistake = NatsMistake::none;
};

// The requests are coroutines of this server's process, and answer beside what the model says:
// retryable "unavailable" while there is no leader, retryable "not-found" for what was never made.
class NatsServer final : public BrokerServer {
public:
    NatsServer(Network& network, Machine& machine, NatsServerOptions options);

    std::size_t redeliver() override;

    static Task<Result<std::int64_t>> ensure_stream(NatsServer& server, std::string stream,
                                                    NatsStreamOptions options);
    static Task<Result<std::int64_t>> ensure_consumer(NatsServer& server, std::string stream,
                                                      std::string consumer,
                                                      NatsConsumerOptions options);
    // -> its sequence.
    static Task<Result<std::int64_t>> publish(NatsServer& server, std::string stream,
                                              NatsMessage message);
    // Who asks for messages, and which of its questions that is: a subscription ends with it, with
    // unsubscribe(), or with its process.
    struct Inbox {
        Client client;
        std::uint64_t number = 0;
        friend auto operator<=>(const Inbox&, const Inbox&) = default;
    };
    // At least one, or none at the deadline.
    static Task<Result<NatsFetched>> fetch(NatsServer& server, Inbox inbox, std::string stream,
                                           std::string consumer, std::size_t limit,
                                           MonotonicTime deadline);
    void unsubscribe(Inbox inbox);
    // -> how many of them were out.
    static Task<Result<std::int64_t>> acknowledge(NatsServer& server, std::string stream,
                                                  std::string consumer,
                                                  std::vector<std::uint64_t> sequences);
    // Makes everything due that the consumer has out: who takes it over begins there.
    static Task<Result<std::int64_t>> redeliver_to_next(NatsServer& server, std::string stream,
                                                        std::string consumer);
    static Task<Result<std::int64_t>> purge(NatsServer& server, std::string stream,
                                            std::string subject, std::uint64_t before);
    static Task<Result<NatsStates>> states(NatsServer& server, std::string stream);
    static Task<Result<NatsEntry>> read_entry(NatsServer& server, std::string key);
    // 1, or 0 when the entry is not at revision `seen` any more.
    static Task<Result<std::int64_t>> write_entry(NatsServer& server, std::string key,
                                                  std::uint64_t seen, std::string text);
    // Without an answer.
    void in_progress(const std::string& stream, const std::string& consumer,
                     const std::vector<std::uint64_t>& sequences);

private:
    void died() override;
    std::size_t power_lost() override;
    void tick() override;

    Result<NatsStream*> find(const std::string& stream);
    static Task<Result<NatsFetched>> fetch_while_subscribed(NatsServer& server, Inbox inbox,
                                                            std::string stream,
                                                            std::string consumer, std::size_t limit,
                                                            MonotonicTime deadline);
    Duration write_time();

    NatsServerOptions options_;
    std::map<std::string, NatsStream> streams_;
    std::map<std::string, NatsEntry> entries_;
    std::map<std::string, NatsEntry> synced_entries_;
    MonotonicTime next_sync_{};
    std::set<Inbox> inboxes_;
    RandomStream writes_;
};

}  // namespace rushproof::simulator
