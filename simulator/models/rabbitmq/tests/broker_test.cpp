// Goal: nothing confirmed is lost, nothing unacknowledged is forgotten, and a retry queue delays.
// Method: channels and queues by hand at chosen times.
#include "simulator/models/rabbitmq/broker.hpp"

#include <gtest/gtest.h>

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime start{};

struct Jobs {
    Jobs() {
        broker.declare("jobs", {.dead_letter_queue = "retry"});
        broker.declare("retry", {.time_to_live = seconds(5), .dead_letter_queue = "jobs"});
        channel = broker.open_channel();
    }
    std::uint64_t publish(const std::string& id) {
        return broker.publish("jobs", {.id = id, .headers = {}, .body = id, .deaths = {}}, start)
            .value();
    }
    // The id, with a star when it was delivered before; "none" when nothing waits.
    std::string get(MonotonicTime now = start) {
        last = broker.get(channel, "jobs", now);
        return last ? last->message.id + (last->redelivered ? "*" : "") : "none";
    }

    RabbitBroker broker;
    RabbitChannel channel;
    std::optional<RabbitDelivery> last;
};

TEST(RabbitBroker, DeliversInOrderAndForgetsWhatIsAcknowledged) {
    Jobs world;
    world.publish("a");
    world.publish("b");
    EXPECT_EQ(world.get(), "a");
    EXPECT_EQ(world.broker.waiting("jobs"), 1);
    EXPECT_EQ(world.broker.out("jobs"), 1);
    EXPECT_TRUE(world.broker.acknowledge(world.channel, world.last->tag));
    EXPECT_FALSE(world.broker.acknowledge(world.channel, world.last->tag));
    EXPECT_EQ(world.get(), "b");
    EXPECT_EQ(world.get(), "none");
}

TEST(RabbitBroker, ReturnsToTheFrontWhatAClosedChannelHadOut) {
    Jobs world;
    for (const auto* id : {"a", "b", "c"}) { world.publish(id); }
    EXPECT_EQ(world.get(), "a");
    EXPECT_EQ(world.get(), "b");
    world.broker.close_channel(world.channel);
    world.channel = world.broker.open_channel();
    EXPECT_EQ(world.get(), "a*");
    EXPECT_EQ(world.get(), "b*");
    EXPECT_EQ(world.get(), "c");
}

TEST(RabbitBroker, TakesTheTagOfItsOwnChannelOnly) {
    Jobs world;
    world.publish("a");
    EXPECT_EQ(world.get(), "a");
    EXPECT_FALSE(world.broker.acknowledge(world.broker.open_channel(), world.last->tag));
    EXPECT_TRUE(world.broker.acknowledge(world.channel, world.last->tag));
}

TEST(RabbitBroker, DelaysWhatWasRejectedAndCountsItsDeaths) {
    Jobs world;
    world.publish("a");
    EXPECT_EQ(world.get(), "a");
    EXPECT_TRUE(
        world.broker.reject(world.channel, world.last->tag, RabbitBroker::Requeue::no, start));
    EXPECT_EQ(world.broker.next_expiry(), start + seconds(5));
    EXPECT_EQ(world.get(start + seconds(5) - milliseconds(1)), "none");
    EXPECT_EQ(world.get(start + seconds(5)), "a");
    const auto& deaths = world.last->message.deaths;
    EXPECT_EQ(deaths.at({"jobs", "rejected"}), 1);
    EXPECT_EQ(deaths.at({"retry", "expired"}), 1);
}

TEST(RabbitBroker, DeliversAtOnceWhatWasRequeued) {
    Jobs world;
    world.publish("a");
    world.publish("b");
    EXPECT_EQ(world.get(), "a");
    world.broker.reject(world.channel, world.last->tag, RabbitBroker::Requeue::yes, start);
    EXPECT_EQ(world.get(), "a*");
}

TEST(RabbitBroker, ForgetsWhatDiesWithoutADeadLetterQueue) {
    RabbitBroker broker;
    broker.declare("q", {});
    ASSERT_TRUE(broker.publish("q", {.id = "a", .headers = {}, .body = {}, .deaths = {}}, start));
    const auto channel = broker.open_channel();
    const auto delivery = broker.get(channel, "q", start);
    broker.reject(channel, delivery->tag, RabbitBroker::Requeue::no, start);
    EXPECT_EQ(broker.waiting("q") + broker.out("q"), 0);
}

TEST(RabbitBroker, RefusesWithoutAQueueWhenFullAndWhatIsTooLarge) {
    RabbitBroker broker(4);
    const RabbitMessage small{.id = "a", .headers = {}, .body = "1234", .deaths = {}};
    RabbitMessage large = small;
    large.body = "12345";
    EXPECT_EQ(broker.publish("q", small, start).error().code(), "no-route");
    broker.declare("q", {.messages_max = 1});
    EXPECT_EQ(broker.publish("q", large, start).error().code(), "too-large");
    EXPECT_TRUE(broker.publish("q", small, start));
    const auto full = broker.publish("q", small, start);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), "queue-full");
    EXPECT_EQ(full.error().kind(), ErrorKind::retryable);
}

TEST(RabbitBroker, LosesWhenKilledOnlyWhatItHadNotConfirmed) {
    Jobs world;
    const auto first = world.publish("a");
    EXPECT_FALSE(world.broker.confirmed(first));
    world.broker.sync();
    EXPECT_TRUE(world.broker.confirmed(first));
    const auto second = world.publish("b");
    EXPECT_FALSE(world.broker.confirmed(second));
    EXPECT_EQ(world.broker.kill(), 1u);
    world.channel = world.broker.open_channel();
    EXPECT_EQ(world.get(), "a");
    EXPECT_EQ(world.get(), "none");
}

TEST(RabbitBroker, ForgetsWhenKilledTheAcknowledgementsThatItHadNotSynced) {
    Jobs world;
    world.publish("a");
    world.broker.sync();
    EXPECT_EQ(world.get(), "a");
    world.broker.acknowledge(world.channel, world.last->tag);
    EXPECT_EQ(world.broker.kill(), 0u);
    world.channel = world.broker.open_channel();
    EXPECT_EQ(world.get(), "a*");
}

TEST(RabbitBroker, HasADeadLetterOnceWhenKilledOnItsWay) {
    Jobs world;
    world.publish("a");
    world.broker.sync();
    EXPECT_EQ(world.get(), "a");
    world.broker.reject(world.channel, world.last->tag, RabbitBroker::Requeue::no, start);
    world.broker.kill();
    EXPECT_EQ(world.broker.waiting("jobs") + world.broker.waiting("retry"), 1);
}

TEST(RabbitBroker, ShowsWhatWaits) {
    Jobs world;
    world.publish("a");
    world.publish("b");
    const auto seen = world.broker.peek("jobs", 1);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].id, "a");
    EXPECT_EQ(world.broker.waiting("jobs"), 2);
}

}  // namespace
}  // namespace rushproof::simulator
