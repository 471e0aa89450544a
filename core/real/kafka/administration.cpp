#include "core/real/kafka/administration.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "core/real/kafka/client.hpp"
#include "core/real/kafka/errors.hpp"

namespace rushproof::kafka {

namespace {

constexpr auto look_again_after = std::chrono::milliseconds(20);
constexpr Duration margin = std::chrono::milliseconds(1);

int milliseconds_left(MonotonicTime deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;

}  // namespace

Administration::~Administration() {
    for (const auto& [group, client] : clients_) {
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

Result<rd_kafka_t*> Administration::client(const std::string& group) {
    if (const auto found = clients_.find(group); found != clients_.end()) { return found->second; }
    Settings settings;
    if (!group.empty()) { settings = {{"group.id", group}, {"enable.auto.commit", "false"}}; }
    RP_TRY(Configuration configuration, configure(options_.brokers, settings));
    RP_TRY(rd_kafka_t* const made,
           make_client(group.empty() ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER,
                       std::move(configuration)));
    clients_.emplace(group, made);
    return made;
}

Result<int> Administration::partitions(rd_kafka_t* client, int within_ms) {
    const Topic topic(rd_kafka_topic_new(client, options_.topic.c_str(), nullptr));
    if (!topic) { return failure(unavailable(rd_kafka_last_error(), options_.topic.c_str())); }
    const struct rd_kafka_metadata* metadata = nullptr;
    if (const auto error = rd_kafka_metadata(client, 0, topic.get(), &metadata, within_ms);
        error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(unavailable(error, "asking for the topic"));
    }
    int found = 0;
    if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const auto& partitions = metadata->topics[0];
        const bool all_led =
            std::all_of(partitions.partitions, partitions.partitions + partitions.partition_cnt,
                        [](const auto& each) { return each.leader >= 0; });
        if (all_led) { found = partitions.partition_cnt; }
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

Result<void> Administration::create_topic(rd_kafka_t* client, int within_ms) {
    std::array<char, 512> why{};
    const NewTopic topic(rd_kafka_NewTopic_new(options_.topic.c_str(), options_.partitions,
                                               options_.replication, why.data(), why.size()));
    if (!topic) { return failure(ErrorKind::permanent, "not-configured", why.data()); }
    const AdminOptions options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(within_ms, 1), why.data(),
                                              why.size());
    const QueueHandle answers(rd_kafka_queue_new(client));
    rd_kafka_NewTopic_t* topics[] = {topic.get()};
    rd_kafka_CreateTopics(client, topics, 1, options.get(), answers.get());
    const Event event(rd_kafka_queue_poll(answers.get(), within_ms));
    if (!event) { return failure(unavailable(RD_KAFKA_RESP_ERR__TIMED_OUT, "making the topic")); }
    if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(unavailable(error, "making the topic"));
    }
    std::size_t count = 0;
    const auto* const results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    if (count != 1) { return failure(unavailable(RD_KAFKA_RESP_ERR__BAD_MSG, "making the topic")); }
    const auto error = rd_kafka_topic_result_error(results[0]);
    // Somebody else may have been quicker.
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return {};
    }
    if (error == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
        error == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS ||
        error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        return failure(ErrorKind::permanent, "not-configured",
                       "Kafka: topic " + options_.topic + ": " + rd_kafka_err2str(error));
    }
    return failure(unavailable(error, "making the topic"));
}

Result<void> Administration::prepare(Duration within) {
    const MonotonicTime deadline = now() + within;
    RP_TRY(rd_kafka_t* const asking, client(""));
    RP_TRY(int found, partitions(asking, milliseconds_left(deadline)));
    if (found > 0) { return {}; }
    RP_CHECK(create_topic(asking, milliseconds_left(deadline)));
    while (found == 0) {
        if (now() + margin >= deadline) {
            return failure(unavailable(RD_KAFKA_RESP_ERR__TIMED_OUT, "waiting for the topic"));
        }
        std::this_thread::sleep_for(look_again_after);
        RP_TRY(found, partitions(asking, milliseconds_left(deadline)));
    }
    return {};
}

Result<std::int64_t> Administration::unfinished(const std::string& group, Duration within) {
    const MonotonicTime deadline = now() + within;
    RP_TRY(rd_kafka_t* const asking, client(group));
    RP_TRY(const int count, partitions(asking, milliseconds_left(deadline)));
    if (count == 0) { return failure(unavailable(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "counting")); }
    const PartitionList list(rd_kafka_topic_partition_list_new(count));
    for (int partition = 0; partition < count; ++partition) {
        rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition);
    }
    // The commits first: what is committed afterwards only makes the answer larger than the truth.
    if (const auto error = rd_kafka_committed(asking, list.get(), milliseconds_left(deadline));
        error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(unavailable(error, "asking for the group's commits"));
    }
    std::int64_t unfinished = 0;
    for (int i = 0; i < list->cnt; ++i) {
        const auto& partition = list->elems[i];
        if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return failure(unavailable(partition.err, "asking for the group's commits"));
        }
        std::int64_t first = 0;
        std::int64_t end = 0;
        if (const auto error = rd_kafka_query_watermark_offsets(asking, options_.topic.c_str(),
                                                                partition.partition, &first, &end,
                                                                milliseconds_left(deadline));
            error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return failure(unavailable(error, "asking for a partition's end"));
        }
        // Below `first` the brokers have deleted; without a commit the offset is negative.
        unfinished += end - std::clamp(partition.offset, first, end);
    }
    return unfinished;
}

}  // namespace rushproof::kafka
