// Goal: the stream does what JetStream documents, and loses at a crash what it may lose.
// Method: calls at chosen times of the server's clock.
#include "simulator/models/nats/stream.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime start{seconds(1'767'225'600)};

NatsMessage message(const std::string& id, const std::string& subject = "a") {
    return {.subject = subject, .id = id, .headers = {}, .body = "body of " + id};
}

std::vector<std::string> ids(const std::vector<NatsDelivery>& deliveries) {
    std::vector<std::string> result;
    for (const auto& delivery : deliveries) { result.push_back(delivery.message->id); }
    return result;
}

using Ids = std::vector<std::string>;

struct WithConsumer {
    explicit WithConsumer(NatsStreamOptions options = {}, NatsConsumerOptions consumer = {})
        : stream(options) {
        stream.add_consumer("group", std::move(consumer));
    }
    void publish(const std::string& id, WallTime at = start) {
        ASSERT_TRUE(stream.publish(message(id), at));
    }
    Ids fetch(WallTime at = start, std::size_t limit = 10) {
        return ids(stream.fetch("group", limit, at));
    }

    NatsStream stream;
};

TEST(NatsStream, KnowsAnIdAgainWithinTheWindow) {
    NatsStream stream({});
    const auto first = stream.publish(message("m"), start);
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->duplicate);
    const auto repeat = stream.publish(message("m"), start + minutes(2) - milliseconds(1));
    ASSERT_TRUE(repeat);
    EXPECT_TRUE(repeat->duplicate);
    EXPECT_EQ(repeat->sequence, first->sequence);
    const auto late = stream.publish(message("m"), start + minutes(2));
    ASSERT_TRUE(late);
    EXPECT_FALSE(late->duplicate);
    EXPECT_EQ(stream.size(), 2);
}

TEST(NatsStream, StoresEveryMessageWithoutAnId) {
    NatsStream stream({});
    ASSERT_TRUE(stream.publish(message(""), start));
    ASSERT_TRUE(stream.publish(message(""), start));
    EXPECT_EQ(stream.size(), 2);
}

TEST(NatsStream, RefusesWhenFullAndWhatIsTooLarge) {
    NatsStream stream({.messages_max = 1, .body_max = 32});
    ASSERT_TRUE(stream.publish(message("a"), start));
    const auto full = stream.publish(message("b"), start);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), "queue-full");
    EXPECT_EQ(full.error().kind(), ErrorKind::retryable);
    const auto repeat = stream.publish(message("a"), start);
    ASSERT_TRUE(repeat);
    EXPECT_TRUE(repeat->duplicate);
    auto large = message("c");
    large.body.assign(33, 'x');
    const auto refused = stream.publish(large, start);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "too-large");
    EXPECT_EQ(refused.error().kind(), ErrorKind::permanent);
}

TEST(NatsStream, DeliversInOrderAndOnceWithinAckWait) {
    WithConsumer world;
    world.publish("a");
    world.publish("b");
    EXPECT_EQ(world.fetch(), (Ids{"a", "b"}));
    EXPECT_EQ(world.fetch(), Ids{});
    world.stream.expire(start + seconds(30) - milliseconds(1));
    EXPECT_EQ(world.fetch(), Ids{});
    EXPECT_EQ(world.stream.next_expiry(), start + seconds(30));
}

TEST(NatsStream, DeliversToAnotherWhileTheFirstStillWorks) {
    WithConsumer world;
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    EXPECT_EQ(world.stream.expire(start + seconds(30)), 1u);
    const auto second = world.stream.fetch("group", 1, start + seconds(30));
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(second[0].sequence, first[0].sequence);
    EXPECT_EQ(second[0].attempt, 2);
    EXPECT_EQ(world.stream.info("group").redelivered, 1);
}

TEST(NatsStream, TakesALateAcknowledgementForTheSecondDelivery) {
    WithConsumer world;
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    world.stream.expire(start + seconds(30));
    ASSERT_EQ(world.fetch(start + seconds(30)), Ids{"a"});
    EXPECT_TRUE(world.stream.acknowledge("group", first[0].sequence));
    world.stream.expire(start + minutes(10));
    EXPECT_EQ(world.fetch(start + minutes(10)), Ids{});
    EXPECT_FALSE(world.stream.acknowledge("group", first[0].sequence));
}

TEST(NatsStream, TakesAnAcknowledgementOfWhatIsDueAgain) {
    WithConsumer world;
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    world.stream.expire(start + seconds(30));
    EXPECT_TRUE(world.stream.acknowledge("group", first[0].sequence));
    EXPECT_EQ(world.fetch(start + seconds(31)), Ids{});
}

TEST(NatsStream, WaitsLongerForWhatIsInProgress) {
    WithConsumer world;
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    EXPECT_TRUE(world.stream.in_progress("group", first[0].sequence, start + seconds(20)));
    EXPECT_EQ(world.stream.expire(start + seconds(49)), 0u);
    EXPECT_EQ(world.stream.expire(start + seconds(50)), 1u);
}

TEST(NatsStream, DeliversWhatWasRefusedAtOnce) {
    WithConsumer world;
    world.publish("a");
    world.publish("b");
    const auto first = world.stream.fetch("group", 1, start);
    EXPECT_TRUE(world.stream.refuse("group", first[0].sequence));
    EXPECT_EQ(world.fetch(), (Ids{"a", "b"}));
}

TEST(NatsStream, StallsWhenTooManyAreOut) {
    WithConsumer world({}, {.ack_pending_max = 2});
    for (const auto* id : {"a", "b", "c"}) { world.publish(id); }
    const auto first = world.stream.fetch("group", 10, start);
    EXPECT_EQ(ids(first), (Ids{"a", "b"}));
    EXPECT_FALSE(world.stream.can_deliver("group"));
    world.stream.acknowledge("group", first[0].sequence);
    EXPECT_EQ(world.fetch(), Ids{"c"});
}

TEST(NatsStream, IsSilentAfterTheLastDelivery) {
    WithConsumer world({}, {.deliveries_max = 2});
    world.publish("a");
    EXPECT_EQ(world.fetch(), Ids{"a"});
    world.stream.expire(start + seconds(30));
    EXPECT_EQ(world.fetch(start + seconds(30)), Ids{"a"});
    world.stream.expire(start + seconds(60));
    EXPECT_EQ(world.fetch(start + seconds(60)), Ids{});
}

TEST(NatsStream, ShowsAConsumerOnlyItsSubject) {
    NatsStream stream({});
    stream.add_consumer("group", {.filter = "b"});
    ASSERT_TRUE(stream.publish(message("1", "a"), start));
    ASSERT_TRUE(stream.publish(message("2", "b"), start));
    EXPECT_EQ(stream.info("group").waiting, 1);
    EXPECT_EQ(ids(stream.fetch("group", 10, start)), Ids{"2"});
}

TEST(NatsStream, RemovesWhatAWorkQueueHasDone) {
    WithConsumer world({.retention = NatsRetention::work_queue});
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    EXPECT_EQ(world.stream.size(), 1);
    world.stream.acknowledge("group", first[0].sequence);
    EXPECT_EQ(world.stream.size(), 0);
    // Its id is known all the same ...
    EXPECT_TRUE(world.stream.publish(message("a"), start)->duplicate);
    // ... until the server starts again.
    world.stream.kill();
    EXPECT_FALSE(world.stream.publish(message("a"), start)->duplicate);
}

TEST(NatsStream, KeepsWhatItStoredWhenItsProcessDies) {
    WithConsumer world;
    world.publish("a");
    world.publish("b");
    EXPECT_EQ(world.fetch(start, 1), Ids{"a"});
    world.stream.write_consumers();
    world.stream.kill();
    EXPECT_TRUE(world.stream.publish(message("a"), start)->duplicate);
    EXPECT_EQ(world.fetch(), Ids{"b"});
    world.stream.expire(start + seconds(30));
    EXPECT_EQ(world.fetch(start + seconds(30)), (Ids{"a", "b"}));
}

TEST(NatsStream, ForgetsAcknowledgementsThatItHadNotWritten) {
    WithConsumer world;
    world.publish("a");
    const auto first = world.stream.fetch("group", 1, start);
    world.stream.write_consumers();
    world.stream.acknowledge("group", first[0].sequence);
    EXPECT_FALSE(world.stream.consumers_written());
    world.stream.kill();
    EXPECT_EQ(world.stream.expire(start + seconds(30)), 1u);
    EXPECT_EQ(world.fetch(start + seconds(30)), Ids{"a"});
}

TEST(NatsStream, LosesWithPowerWhatItHadNotSynced) {
    WithConsumer world({.retention = NatsRetention::work_queue});
    world.publish("a");
    world.stream.sync();
    const auto first = world.stream.fetch("group", 1, start);
    world.stream.acknowledge("group", first[0].sequence);
    world.publish("b");
    world.publish("c");
    EXPECT_EQ(world.stream.lose_power(), 2u);
    EXPECT_EQ(world.fetch(), Ids{"a"});
    // Numbers are given again.
    EXPECT_EQ(world.stream.publish(message("d"), start)->sequence, 2u);
}

TEST(NatsStream, DeliversAllThatIsOutAgain) {
    WithConsumer world;
    world.publish("a");
    world.publish("b");
    EXPECT_EQ(world.fetch().size(), 2u);
    EXPECT_EQ(world.stream.redeliver_all(), 2u);
    EXPECT_EQ(world.fetch(), (Ids{"a", "b"}));
}

TEST(NatsStream, PurgesASubjectUpToWhereItIsDone) {
    WithConsumer world;
    world.publish("a");
    world.publish("b");
    ASSERT_TRUE(world.stream.publish(message("c", "another"), start));
    const auto all = world.stream.fetch("group", 10, start);
    EXPECT_EQ(world.stream.info("group").floor, 0u);
    world.stream.acknowledge("group", all[0].sequence);
    EXPECT_EQ(world.stream.info("group").floor, 1u);
    world.stream.purge("a", 2);
    EXPECT_EQ(world.stream.size(), 2);
    world.stream.purge("another", 2);
    EXPECT_EQ(world.stream.size(), 2);
    EXPECT_TRUE(world.stream.publish(message("a"), start)->duplicate);
}

}  // namespace
}  // namespace rushproof::simulator
