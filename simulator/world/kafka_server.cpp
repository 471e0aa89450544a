#include "simulator/world/kafka_server.hpp"

#include <algorithm>

#include "core/base/hash.hpp"

namespace rushproof::simulator {

namespace {

// Until enough replicas have a batch.
constexpr Duration replication_base = std::chrono::microseconds(300);
constexpr Duration replication_tail = std::chrono::microseconds(150);

std::uint64_t hash_number(std::uint64_t hash, std::int64_t number) {
    return combine64(hash, static_cast<std::uint64_t>(number));
}

}  // namespace

std::uint64_t PayloadHash<KafkaRecords>::of(const KafkaRecords& records) {
    std::uint64_t hash = records.records.size();
    for (const auto& [partition, fetched] : records.records) {
        hash = hash_number(hash_number(hash, partition), fetched.offset);
        hash = combine64(hash, hash64(fetched.record->value));
    }
    return hash;
}

std::uint64_t PayloadHash<KafkaJoined>::of(const KafkaJoined& joined) {
    std::uint64_t hash = hash_number(hash64(joined.member), joined.assignment.generation);
    for (const std::int32_t partition : joined.assignment.partitions) {
        hash = hash_number(hash, partition);
    }
    return hash;
}

std::uint64_t PayloadHash<KafkaCommitted>::of(const KafkaCommitted& committed) {
    std::uint64_t hash = committed.offsets.size();
    for (const auto& [partition, offset] : committed.offsets) {
        hash = hash_number(hash_number(hash, partition), offset);
    }
    return hash;
}

KafkaServer::KafkaServer(Network& network, Machine& machine, const KafkaServerOptions& options)
    : BrokerServer(network, machine),
      model_(options.broker),
      sync_interval_(options.sync_interval),
      next_sync_(monotonic() + options.sync_interval),
      replications_(keyed_stream(scheduler().seed(), "kafka-replication", hash64(machine.name()))) {
}

void KafkaServer::tick() {
    model_.tick(monotonic());
    if (acknowledges_early() && !electing()) { model_.commit_everything(); }
    changed();
    if (monotonic() < next_sync_) { return; }
    next_sync_ = monotonic() + sync_interval_;
    model_.sync();
}

// A rebalance does it: every member begins at what it committed.
std::size_t KafkaServer::redeliver() {
    const std::size_t members = model_.drop_members(monotonic());
    changed();
    return members;
}

Duration KafkaServer::replication_time() {
    return replication_base + replications_.exponential(replication_tail);
}

Task<Result<std::int64_t>> KafkaServer::metadata(KafkaServer& server, std::string topic) {
    RP_CO_CHECK(server.admit());
    co_return static_cast<std::int64_t>(server.model_.topic(topic).size());
}

Task<Result<std::int64_t>> KafkaServer::init_producer(KafkaServer& server) {
    RP_CO_CHECK(server.admit());
    co_return server.model_.init_producer().id;
}

Task<Result<std::int64_t>> KafkaServer::produce(KafkaServer& server, KafkaBatch batch) {
    RP_CO_CHECK(server.admit());
    for (const KafkaRecord& record : batch.records) {
        if (record.value.size() > server.model_.options().record_max) {
            co_return failure(ErrorKind::permanent, "too-large", "the record is too large");
        }
    }
    KafkaPartition& partition =
        server.model_.topic(batch.topic).at(static_cast<std::size_t>(batch.partition));
    const auto count = static_cast<std::int64_t>(batch.records.size());
    const auto appended =
        partition.append(batch.producer, batch.sequence, std::move(batch.records));
    if (!appended) { co_return failure(appended.error()); }
    const bool lost = server.loses_ack();
    if (server.acknowledges_early()) { co_return appended->offset; }
    const std::uint64_t elections = server.elections();
    const Duration time = server.replication_time();
    co_await sleep_for(server.host().clock(), time);
    // Another leader may not have it.
    if (server.elections() != elections) { co_return ack_lost(); }
    partition.commit_up_to(appended->offset + count);
    server.changed();
    if (lost) { co_return ack_lost(); }
    co_return appended->offset;
}

Task<Result<KafkaRecords>> KafkaServer::fetch(KafkaServer& server, Client client, std::string topic,
                                              KafkaOffsets offsets, std::size_t limit,
                                              MonotonicTime deadline) {
    KafkaRecords records;
    for (;;) {
        RP_CO_CHECK(server.admit());
        if (server.is_reset(client) || server.shutting_down()) { co_return records; }
        auto& partitions = server.model_.topic(topic);
        for (const auto& [partition, offset] : offsets) {
            const std::size_t left = limit - records.records.size();
            RP_CO_TRY(const auto fetched,
                      partitions.at(static_cast<std::size_t>(partition)).fetch(offset, left));
            for (const KafkaFetched& record : fetched) {
                records.records.push_back({partition, record});
            }
        }
        const bool over = server.monotonic() >= deadline;
        if (!records.records.empty() || over) { co_return records; }
        co_await wait_for_change(server, deadline);
    }
}

Task<Result<KafkaJoined>> KafkaServer::join(KafkaServer& server, KafkaGroupName name,
                                            std::string member, KafkaMemberOptions options,
                                            std::set<std::int32_t> owned, MonotonicTime deadline) {
    RP_CO_CHECK(server.admit());
    RP_CO_TRY(const std::string id,
              server.group(name).join(member, options, std::move(owned), server.monotonic()));
    server.changed();
    for (;;) {
        const auto assignment = server.group(name).assignment(id);
        if (assignment) { co_return KafkaJoined{.member = id, .assignment = *assignment}; }
        if (!server.group(name).has_member(id) || server.monotonic() >= deadline) {
            co_return failure(ErrorKind::retryable, "unknown-member", "the group left it behind");
        }
        RP_CO_CHECK(server.admit());
        co_await wait_for_change(server, deadline);
    }
}

Task<Result<std::int64_t>> KafkaServer::heartbeat(KafkaServer& server, KafkaGroupName name,
                                                  std::string member, std::int32_t generation) {
    RP_CO_CHECK(server.admit());
    RP_CO_CHECK(server.group(name).heartbeat(member, generation, server.monotonic()));
    co_return 0;
}

Task<Result<std::int64_t>> KafkaServer::commit(KafkaServer& server, KafkaGroupName name,
                                               std::string member, std::int32_t generation,
                                               KafkaOffsets offsets) {
    RP_CO_CHECK(server.admit());
    RP_CO_CHECK(server.group(name).commit(member, generation, offsets, server.monotonic()));
    const Duration time = server.replication_time();
    co_await sleep_for(server.host().clock(), time);
    co_return 0;
}

Task<Result<KafkaCommitted>> KafkaServer::committed(KafkaServer& server, KafkaGroupName name) {
    RP_CO_CHECK(server.admit());
    KafkaCommitted committed;
    committed.offsets = server.group(name).committed();
    co_return committed;
}

Task<Result<std::int64_t>> KafkaServer::lag(KafkaServer& server, KafkaGroupName name) {
    RP_CO_CHECK(server.admit());
    co_return server.model_.lag(name.group, name.topic);
}

void KafkaServer::leave(const KafkaGroupName& name, const std::string& member) {
    group(name).leave(member, monotonic());
    changed();
}

}  // namespace rushproof::simulator
