// What the queue on the simulated Kafka, its producer and the members of its groups share.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/world/kafka_client.hpp"

namespace rushproof::simulator {

struct KafkaTopic {
    KafkaAccess access;
    KafkaTwinOptions options;
    std::string name;
    std::int32_t partitions = 1;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;

    static constexpr std::string_view id_header = "rushproof-id";

    std::int32_t partition_of(const Message& message) const;
    static KafkaRecord to_kafka(Message message);
    static Message from_kafka(const KafkaRecord& record);
};

// Sends in the background; one batch of a partition is under way at a time, and is sent again until
// it is acknowledged, so that the order of a partition is the order of publishing.
class KafkaProducing : public std::enable_shared_from_this<KafkaProducing> {
public:
    explicit KafkaProducing(std::shared_ptr<KafkaTopic> topic);
    static Task<Result<void>> publish(std::shared_ptr<KafkaProducing> self, MonotonicTime deadline,
                                      Message message);

private:
    struct Waiting {
        KafkaRecord record;
        ReplyTo<bool> to;
        MonotonicTime give_up;
    };
    struct Partition {
        std::deque<Waiting> waiting;
        std::int64_t sequence = 0;
        std::int64_t session = -1;  // in which `sequence` counts
        bool sending = false;
    };
    using Self = std::shared_ptr<KafkaProducing>;

    static Task<void> send(Self self, std::int32_t partition);
    static Task<Result<void>> begin_session(Self self, MonotonicTime deadline);
    // One batch, until it is acknowledged or its time is over.
    static Task<Result<void>> send_batch(Self self, std::int32_t partition,
                                         std::vector<KafkaRecord> records, MonotonicTime give_up);

    std::shared_ptr<KafkaTopic> topic_;
    std::vector<Partition> partitions_;
    std::int64_t session_ = -1;
    std::size_t waiting_ = 0;
};

std::unique_ptr<Consumer> start_kafka_consumer(std::shared_ptr<KafkaTopic> topic,
                                               std::string group);

}  // namespace rushproof::simulator
