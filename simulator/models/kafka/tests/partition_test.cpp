// Goal: a log keeps its order, knows a session's repeats again and nobody else's, and loses what
// Kafka may lose.  Method: batches by hand.
#include "simulator/models/kafka/partition.hpp"

#include <gtest/gtest.h>

#include "simulator/models/kafka/broker.hpp"

namespace rushproof::simulator {
namespace {

std::vector<KafkaRecord> batch(const std::vector<std::string>& values) {
    std::vector<KafkaRecord> records;
    for (const auto& value : values) { records.push_back({"key", {}, value}); }
    return records;
}

std::vector<std::string> values(const KafkaPartition& partition, std::int64_t offset = 0) {
    std::vector<std::string> result;
    const auto records = partition.fetch(offset, 100).value();
    for (const auto& fetched : records) { result.push_back(fetched.record->value); }
    return result;
}

using Values = std::vector<std::string>;
constexpr KafkaProducer producer{.id = 7, .epoch = 0};

TEST(KafkaPartition, ShowsOnlyWhatIsCommitted) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append({}, 0, batch({"a", "b", "c"})));
    EXPECT_EQ(values(partition), Values{});
    partition.commit_up_to(2);
    EXPECT_EQ(values(partition), (Values{"a", "b"}));
    EXPECT_EQ(values(partition, 1), Values{"b"});
    partition.commit_up_to(1);
    EXPECT_EQ(partition.high_watermark(), 2);
    EXPECT_FALSE(partition.fetch(4, 1));
}

TEST(KafkaPartition, KnowsARepeatWithinASession) {
    KafkaPartition partition;
    ASSERT_EQ(partition.append(producer, 0, batch({"a"}))->offset, 0);
    ASSERT_EQ(partition.append(producer, 1, batch({"b"}))->offset, 1);
    const auto repeat = partition.append(producer, 0, batch({"a"}));
    ASSERT_TRUE(repeat);
    EXPECT_TRUE(repeat->duplicate);
    EXPECT_EQ(repeat->offset, 0);
    EXPECT_EQ(partition.end(), 2);
}

TEST(KafkaPartition, StoresTheRepeatOfANewSession) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append(producer, 0, batch({"a"})));
    const auto again = partition.append({.id = 8, .epoch = 0}, 0, batch({"a"}));
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->duplicate);
    EXPECT_EQ(partition.end(), 2);
}

TEST(KafkaPartition, StoresTheRepeatOfWhoIsNotIdempotent) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append({}, 0, batch({"a"})));
    ASSERT_TRUE(partition.append({}, 0, batch({"a"})));
    EXPECT_EQ(partition.end(), 2);
}

TEST(KafkaPartition, RefusesAGapAndAFencedSession) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append(producer, 0, batch({"a"})));
    const auto gap = partition.append(producer, 2, batch({"c"}));
    ASSERT_FALSE(gap);
    EXPECT_EQ(gap.error().code(), "out-of-order-sequence");
    ASSERT_TRUE(partition.append({.id = 7, .epoch = 1}, 0, batch({"d"})));
    const auto fenced = partition.append(producer, 1, batch({"b"}));
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().code(), "invalid-producer-epoch");
    EXPECT_EQ(fenced.error().kind(), ErrorKind::permanent);
}

TEST(KafkaPartition, RemembersFiveBatches) {
    KafkaPartition partition;
    for (std::int64_t i = 0; i < 6; ++i) {
        ASSERT_TRUE(partition.append(producer, i, batch({std::to_string(i)})));
    }
    EXPECT_TRUE(partition.append(producer, 1, batch({"1"}))->duplicate);
    EXPECT_FALSE(partition.append(producer, 0, batch({"0"})));
}

TEST(KafkaPartition, LosesWithItsLeaderWhatWasNotCommitted) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append(producer, 0, batch({"a"})));
    partition.commit_up_to(1);
    ASSERT_TRUE(partition.append(producer, 1, batch({"b"})));
    EXPECT_EQ(partition.change_leader(), 1u);
    EXPECT_EQ(partition.end(), 1);
    // The session goes on where the new leader is.
    const auto again = partition.append(producer, 1, batch({"b"}));
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->duplicate);
    EXPECT_TRUE(partition.append(producer, 0, batch({"a"}))->duplicate);
}

TEST(KafkaPartition, LosesWithPowerWhatWasNotSynced) {
    KafkaPartition partition;
    ASSERT_TRUE(partition.append({}, 0, batch({"a"})));
    partition.sync();
    ASSERT_TRUE(partition.append({}, 0, batch({"b", "c"})));
    partition.commit_up_to(3);
    EXPECT_EQ(partition.lose_power(), 2u);
    EXPECT_EQ(values(partition), Values{"a"});
}

TEST(KafkaBroker, CountsTheLagOfAGroup) {
    KafkaBroker broker({.partitions = 2});
    ASSERT_TRUE(broker.topic("t")[0].append({}, 0, batch({"a", "b"})));
    ASSERT_TRUE(broker.topic("t")[1].append({}, 0, batch({"c"})));
    EXPECT_EQ(broker.lag("g", "t"), 3);
    KafkaGroup& group = broker.group("g", "t");
    const std::string member = group.join("", {}, {}, MonotonicTime{}).value();
    ASSERT_TRUE(group.commit(member, 1, {{0, 2}}, MonotonicTime{}));
    EXPECT_EQ(broker.lag("g", "t"), 1);
    EXPECT_EQ(broker.lag("another", "t"), 3);
}

TEST(KafkaBroker, GivesEverySessionANewId) {
    KafkaBroker broker;
    EXPECT_NE(broker.init_producer().id, broker.init_producer().id);
}

}  // namespace
}  // namespace rushproof::simulator
