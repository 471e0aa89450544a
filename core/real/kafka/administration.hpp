// Questions to the brokers.  librdkafka asks them in blocking fashion: on the reaper's thread only.
#pragma once
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <string>

#include "core/base/result.hpp"
#include "core/real/kafka/kafka_queue.hpp"

namespace rushproof::kafka {

class Administration {
public:
    explicit Administration(KafkaOptions options) : options_(std::move(options)) {}
    ~Administration();
    Administration(const Administration&) = delete;
    Administration& operator=(const Administration&) = delete;

    // Makes the topic if it is missing, and waits until all of it can be written.
    Result<void> prepare(Duration within);

    // Messages that the group has not committed.
    Result<std::int64_t> unfinished(const std::string& group, Duration within);

private:
    Result<rd_kafka_t*> client(const std::string& group);
    // How many partitions have a leader; 0: there is no such topic, or not yet.
    Result<int> partitions(rd_kafka_t* client, int within_ms);
    Result<void> create_topic(rd_kafka_t* client, int within_ms);

    KafkaOptions options_;
    std::map<std::string, rd_kafka_t*> clients_;  // by group, the first one of none
};

}  // namespace rushproof::kafka
