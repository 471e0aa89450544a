// Goal: what the memory queue promises beyond its port: the bound, the places of what comes back,
// who gets a key, and what becomes of repeats.  The rest is in tests/conformance/queue.
// Method: short conversations with a queue in the fake world.
#include "core/runtime/memory_queue.hpp"

#include <gtest/gtest.h>

#include "core/runtime/scope.hpp"
#include "core/runtime/tests/fake_environment.hpp"

namespace rushproof {
namespace {

using std::chrono::seconds;
using Ids = std::vector<std::string>;

Message message(std::string id, std::string key = {}) {
    return {std::move(id), std::move(key), {}, "body"};
}

class MemoryQueueTest : public testing::Test {
protected:
    explicit MemoryQueueTest(MemoryQueueOptions options = {.capacity = 3, .message_bytes = 100})
        : queue(fake.environment, options) {}

    Context soon() { return Context(fake.world.monotonic() + seconds(1)); }
    std::string publish(Message published) {
        const auto result = *fake.world.finish(queue.publish(soon(), std::move(published)));
        return result ? "ok" : result.error().code();
    }
    std::unique_ptr<Consumer> join(std::string group = "workers") {
        return *std::move(*fake.world.finish(queue.join(soon(), std::move(group))));
    }
    std::vector<Delivery> next(Consumer& consumer, std::size_t limit = 10) {
        return *std::move(*fake.world.finish(consumer.next(soon(), limit)));
    }
    Ids ids(Consumer& consumer, std::size_t limit = 10) {
        Ids found;
        for (const Delivery& delivery : next(consumer, limit)) {
            found.push_back(delivery.message.id);
        }
        return found;
    }
    std::string acknowledge(Consumer& consumer, std::vector<std::uint64_t> numbers) {
        const auto result = *fake.world.finish(consumer.acknowledge(soon(), std::move(numbers)));
        return result ? "ok" : result.error().code();
    }
    void close(Consumer& consumer) {
        auto closing = [&]() -> Task<bool> {
            co_await consumer.close();
            co_return true;
        };
        fake.world.finish(closing());
    }
    std::int64_t unfinished(std::string group) {
        return (*fake.world.finish(queue.stats(soon(), std::move(group))))->unfinished;
    }

    FakeEnvironment fake;
    MemoryQueue queue;
};

TEST_F(MemoryQueueTest, FullCountsWhatIsHeld) {
    const auto consumer = join();
    for (const char* id : {"a", "b", "c"}) { EXPECT_EQ(publish(message(id)), "ok"); }
    EXPECT_EQ(publish(message("d")), "queue-full");
    const auto held = next(*consumer);
    ASSERT_EQ(held.size(), 3u);
    EXPECT_EQ(publish(message("d")), "queue-full");
    EXPECT_EQ(acknowledge(*consumer, {held[1].number}), "ok");
    EXPECT_EQ(publish(message("d")), "ok");
}

TEST_F(MemoryQueueTest, TooLargeIsRefusedForEver) {
    Message large = message("a");
    large.headers.emplace_back("name", std::string(100, 'x'));
    const auto result = *fake.world.finish(queue.publish(soon(), large));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::permanent);
    EXPECT_EQ(result.error().code(), "too-large");
}

TEST_F(MemoryQueueTest, ARepeatOfWhatIsKeptIsAcceptedAndDropped) {
    const auto consumer = join();
    for (const char* id : {"a", "b", "c", "a"}) { EXPECT_EQ(publish(message(id)), "ok"); }
    const auto held = next(*consumer);
    ASSERT_EQ(held.size(), 3u);
    EXPECT_EQ(publish(message("a")), "ok");
    EXPECT_EQ(unfinished("workers"), 3);
    EXPECT_EQ(acknowledge(*consumer, {held[0].number}), "ok");
    EXPECT_EQ(publish(message("a")), "ok");
    EXPECT_EQ(ids(*consumer), Ids{"a"});
}

TEST_F(MemoryQueueTest, WhatAConsumerHeldComesBackInFront) {
    auto first = join();
    const auto second = join();
    publish(message("a", "k"));
    publish(message("b", "k"));
    EXPECT_EQ(ids(*first), (Ids{"a", "b"}));
    publish(message("c", "k"));
    EXPECT_EQ(ids(*second), Ids{});  // the key is the first one's
    first.reset();
    const auto again = next(*second);
    ASSERT_EQ(again.size(), 3u);
    EXPECT_EQ(again[0].message.id, "a");
    EXPECT_EQ(again[0].attempt, 2);
    EXPECT_EQ(again[1].message.id, "b");
    EXPECT_EQ(again[2].message.id, "c");
    EXPECT_EQ(again[2].attempt, 1);
}

TEST_F(MemoryQueueTest, AKeyIsFreeWhenAllOfItIsAcknowledged) {
    const auto first = join();
    const auto second = join();
    publish(message("a", "k"));
    publish(message("b", "k"));
    const auto held = next(*first, 1);
    EXPECT_EQ(ids(*second), Ids{});
    EXPECT_EQ(acknowledge(*first, {held[0].number}), "ok");
    EXPECT_EQ(ids(*second), Ids{"b"});
}

TEST_F(MemoryQueueTest, TheOldestOfAllKeysIsFirst) {
    const auto consumer = join();
    publish(message("a", "k"));
    publish(message("b"));
    publish(message("c", "k"));
    EXPECT_EQ(ids(*consumer, 2), (Ids{"a", "b"}));
    EXPECT_EQ(ids(*consumer, 2), Ids{"c"});
}

TEST_F(MemoryQueueTest, KeepsUntilEveryGroupHasAcknowledged) {
    publish(message("a"));
    const auto one = join("one");
    const auto other = join("other");
    const auto held = next(*one);
    EXPECT_EQ(acknowledge(*one, {held.at(0).number}), "ok");
    EXPECT_EQ(unfinished("one"), 0);
    EXPECT_EQ(unfinished("other"), 1);
    EXPECT_EQ(ids(*other), Ids{"a"});
}

TEST_F(MemoryQueueTest, ANextUnderWayEndsWhenAMessageComes) {
    const auto consumer = join();
    auto meanwhile = [&]() -> Task<Duration> {
        const MonotonicTime start = fake.world.monotonic();
        Scope scope(fake.world);
        auto later = [&]() -> Task<void> {
            co_await sleep_for(fake.world, seconds(2));
            const auto accepted = co_await queue.publish(soon(), message("a", "k"));
            EXPECT_TRUE(accepted);
        };
        scope.start("publisher", later());
        const auto found = co_await consumer->next(Context(start + seconds(9)), 1);
        EXPECT_EQ(found->size(), 1u);
        const Duration waited = fake.world.monotonic() - start;
        co_await scope.join();
        co_return waited;
    };
    EXPECT_EQ(fake.world.finish(meanwhile()), Duration(seconds(2)));
}

TEST_F(MemoryQueueTest, ADestroyedConsumersKeyReachesWhoWaits) {
    auto first = join();
    const auto second = join();
    publish(message("a", "k"));
    EXPECT_EQ(ids(*first), Ids{"a"});
    auto meanwhile = [&]() -> Task<Duration> {
        const MonotonicTime start = fake.world.monotonic();
        Scope scope(fake.world);
        auto later = [&]() -> Task<void> {
            co_await sleep_for(fake.world, seconds(2));
            first.reset();
        };
        scope.start("closer", later());
        const auto found = co_await second->next(Context(start + seconds(9)), 1);
        EXPECT_EQ(found->size(), 1u);
        const Duration waited = fake.world.monotonic() - start;
        co_await scope.join();
        co_return waited;
    };
    EXPECT_EQ(fake.world.finish(meanwhile()), Duration(seconds(2)));
}

TEST_F(MemoryQueueTest, AfterCloseEverythingIsRefused) {
    const auto consumer = join();
    publish(message("a"));
    const auto held = next(*consumer);
    close(*consumer);
    close(*consumer);
    EXPECT_EQ(acknowledge(*consumer, {held.at(0).number}), "closed");
    const auto refused = *fake.world.finish(consumer->next(soon(), 1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "closed");
    EXPECT_EQ(unfinished("workers"), 1);
}

// Touches of freed memory are for the sanitizers to report.
TEST(MemoryQueue, ACrashDestroysWaitersAndHoldersInAnyOrder) {
    FakeEnvironment fake;
    auto queue = std::make_unique<MemoryQueue>(fake.environment, MemoryQueueOptions{});
    auto member = [&]() -> Task<void> {
        const Context context(fake.world.monotonic() + seconds(9));
        const auto consumer = *co_await queue->join(context, "workers");
        for (;;) { (void)co_await consumer->next(context, 1); }
    };
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(fake.world.executor("member"), member(), [](const std::exception_ptr&) {});
    }
    auto publisher = [&]() -> Task<void> {
        const Context context(fake.world.monotonic() + seconds(9));
        (void)co_await queue->publish(context, message("a", "k"));
    };
    asio::co_spawn(fake.world.executor("publisher"), publisher(), [](const std::exception_ptr&) {});
    fake.world.run_for(seconds(1));
    queue.reset();
}

}  // namespace
}  // namespace rushproof
