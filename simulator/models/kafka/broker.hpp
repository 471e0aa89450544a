// A Kafka broker, or a cluster of them that answers as one: topics, producer sessions, groups.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "simulator/models/kafka/group.hpp"
#include "simulator/models/kafka/partition.hpp"

namespace rushproof::simulator {

struct KafkaOptions {
    std::int32_t partitions = 8;  // of a topic that is made, as core/real/kafka makes it
    Duration initial_rebalance_delay{};
    std::size_t record_max = 1'048'576;
    KafkaMistake mistake = KafkaMistake::none;
};

class KafkaBroker {
public:
    explicit KafkaBroker(KafkaOptions options = {}) : options_(options) {}

    const KafkaOptions& options() const { return options_; }

    // What does not exist is made, as with auto.create.topics.enable; -> its partitions.
    std::vector<KafkaPartition>& topic(const std::string& name);
    // Of one topic each.
    KafkaGroup& group(const std::string& name, const std::string& topic);

    // A new session: it knows nothing of what an earlier one of the same process has sent.
    KafkaProducer init_producer() { return {.id = next_producer_++, .epoch = 0}; }

    // Accepted and not committed by the group, over all partitions.
    std::int64_t lag(const std::string& group, const std::string& topic);

    void tick(MonotonicTime now);
    // Every group forgets its members, as after a long partition; -> how many.
    std::size_t drop_members(MonotonicTime now);
    // Enough replicas have all that is written.
    void commit_everything();
    void sync();
    // The process died and is back: the log is read again, as far as it was written.
    void reload(MonotonicTime now);
    // Another replica leads each partition and coordinates each group; -> records that were lost,
    // none of them acknowledged.
    std::size_t change_leaders(MonotonicTime now);
    // All replicas lost power at once; -> records that were lost.
    std::size_t lose_power(MonotonicTime now);

private:
    KafkaOptions options_;
    std::map<std::string, std::vector<KafkaPartition>> topics_;
    std::map<std::pair<std::string, std::string>, KafkaGroup> groups_;
    std::int64_t next_producer_ = 1'000;
};

}  // namespace rushproof::simulator
