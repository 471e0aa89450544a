// A Kafka broker as a process on the simulated network: leader of every partition and coordinator
// of every group.
#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulator/models/kafka/broker.hpp"
#include "simulator/world/broker_server.hpp"

namespace rushproof::simulator {

struct KafkaRecords {
    struct Record {
        std::int32_t partition = 0;
        KafkaFetched fetched;
    };
    std::vector<Record> records;
};
template <>
struct PayloadHash<KafkaRecords> {
    static std::uint64_t of(const KafkaRecords& records);
};

struct KafkaJoined {
    std::string member;
    KafkaAssignment assignment;
};
template <>
struct PayloadHash<KafkaJoined> {
    static std::uint64_t of(const KafkaJoined& joined);
};

struct KafkaCommitted {
    KafkaOffsets offsets;
};
template <>
struct PayloadHash<KafkaCommitted> {
    static std::uint64_t of(const KafkaCommitted& committed);
};

struct KafkaBatch {
    std::string topic;
    std::int32_t partition = 0;
    KafkaProducer producer;
    std::int64_t sequence = 0;
    std::vector<KafkaRecord> records;
};

// Which group of which topic.
struct KafkaGroupName {
    std::string group;
    std::string topic;
};

struct KafkaServerOptions {
    KafkaOptions broker;
    Duration sync_interval = std::chrono::seconds(30);
};

// The requests are coroutines of this server's process, and answer beside what the model says:
// retryable "unavailable" while there is no leader.
class KafkaServer final : public BrokerServer {
public:
    KafkaServer(Network& network, Machine& machine, const KafkaServerOptions& options);

    std::size_t redeliver() override;

    std::size_t record_max() const { return model_.options().record_max; }

    // -> partitions.
    static Task<Result<std::int64_t>> metadata(KafkaServer& server, std::string topic);
    static Task<Result<std::int64_t>> init_producer(KafkaServer& server);
    // Answers once enough replicas have it; -> the first offset.  Error: permanent "too-large".
    static Task<Result<std::int64_t>> produce(KafkaServer& server, KafkaBatch batch);
    // At least one record, or none at the deadline.
    static Task<Result<KafkaRecords>> fetch(KafkaServer& server, Client client, std::string topic,
                                            KafkaOffsets offsets, std::size_t limit,
                                            MonotonicTime deadline);
    // Answers once the group has rebalanced.
    static Task<Result<KafkaJoined>> join(KafkaServer& server, KafkaGroupName name,
                                          std::string member, KafkaMemberOptions options,
                                          std::set<std::int32_t> owned, MonotonicTime deadline);
    static Task<Result<std::int64_t>> heartbeat(KafkaServer& server, KafkaGroupName name,
                                                std::string member, std::int32_t generation);
    static Task<Result<std::int64_t>> commit(KafkaServer& server, KafkaGroupName name,
                                             std::string member, std::int32_t generation,
                                             KafkaOffsets offsets);
    static Task<Result<KafkaCommitted>> committed(KafkaServer& server, KafkaGroupName name);
    static Task<Result<std::int64_t>> lag(KafkaServer& server, KafkaGroupName name);
    // Without an answer.
    void leave(const KafkaGroupName& name, const std::string& member);

private:
    void started() override { model_.reload(monotonic()); }
    void died() override {}
    std::size_t power_lost() override { return model_.lose_power(monotonic()); }
    void tick() override;
    void elected() override { model_.change_leaders(monotonic()); }

    Duration replication_time();
    bool acknowledges_early() const {
        return model_.options().mistake == KafkaMistake::acknowledges_early;
    }
    KafkaGroup& group(const KafkaGroupName& name) { return model_.group(name.group, name.topic); }

    KafkaBroker model_;
    Duration sync_interval_;
    MonotonicTime next_sync_;
    RandomStream replications_;
};

}  // namespace rushproof::simulator
