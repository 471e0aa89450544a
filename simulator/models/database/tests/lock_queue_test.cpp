// Goal: nobody waits for ever and nobody touches what is gone, whoever leaves the queue and when.
// Method: clients stepped by hand; sessions, clients and the database vanish in mid-wait.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "core/base/assert.hpp"
#include "simulator/models/database/tests/client.hpp"

namespace rushproof::simulator::example {

class LockQueueTest : public testing::Test {
protected:
    // b and c wait for the lock of a.
    void queue_up() {
        EXPECT_EQ(bench.step('a', "begin"), "ok");
        EXPECT_EQ(bench.step('a', "lock A"), "A 10");
        for (const char name : {'b', 'c'}) {
            EXPECT_EQ(bench.step(name, "begin"), "ok");
            EXPECT_EQ(bench.step(name, "lock A"), "waits");
        }
    }

    Bench bench;
};

TEST_F(LockQueueTest, whoever_runs_first_takes_a_free_lock_and_the_waiter_keeps_its_place) {
    queue_up();
    EXPECT_EQ(bench.step('d', "begin"), "ok");
    bench.client('a').submit("commit");
    bench.client('d').submit("lock A");  // runs before b, whom the commit wakes
    bench.settle();
    EXPECT_EQ(bench.client('d').outcome(), "A 10");
    EXPECT_TRUE(bench.client('b').waiting());
    EXPECT_EQ(bench.step('d', "commit"), "ok");
    EXPECT_EQ(bench.step('b', ""), "A 10");
    EXPECT_EQ(bench.step('c', ""), "waits");
    EXPECT_EQ(bench.step('b', "commit"), "ok");
    EXPECT_EQ(bench.step('c', ""), "A 10");
}

TEST_F(LockQueueTest, session_destroyed_while_waiting_leaves_the_queue) {
    queue_up();
    bench.client('b').drop_session();
    EXPECT_EQ(bench.step('b', ""), "error connection-lost");
    EXPECT_EQ(bench.step('c', ""), "waits");
    EXPECT_EQ(bench.step('a', "commit"), "ok");
    EXPECT_EQ(bench.step('c', ""), "A 10");
}

TEST_F(LockQueueTest, session_destroyed_between_wake_and_resumption_passes_the_lock_on) {
    queue_up();
    bench.client('a').session().rollback();
    bench.client('b').drop_session();
    EXPECT_EQ(bench.step('b', ""), "error connection-lost");
    EXPECT_EQ(bench.step('c', ""), "A 10");
}

TEST_F(LockQueueTest, waiter_that_finds_nothing_to_lock_wakes_the_next) {
    EXPECT_EQ(bench.step('a', "begin"), "ok");
    EXPECT_EQ(bench.step('a', "remove A"), "A 10");
    EXPECT_EQ(bench.step('b', "take A 1"), "waits");
    EXPECT_EQ(bench.step('c', "put A 5"), "waits");
    EXPECT_EQ(bench.step('d', "put_or_nothing A 6"), "waits");
    EXPECT_EQ(bench.step('a', "commit"), "ok");
    EXPECT_EQ(bench.step('b', ""), "none");
    EXPECT_EQ(bench.step('c', ""), "A 5");
    EXPECT_EQ(bench.step('d', ""), "none");
}

TEST_F(LockQueueTest, of_many_inserters_one_succeeds_after_a_rollback) {
    for (const char name : {'a', 'b', 'c', 'd'}) {
        EXPECT_EQ(bench.step(name, "begin"), "ok");
        EXPECT_EQ(bench.step(name, "put D 1"), name == 'a' ? "D 1" : "waits");
    }
    EXPECT_EQ(bench.step('a', "rollback"), "ok");
    EXPECT_EQ(bench.step('b', ""), "D 1");
    EXPECT_EQ(bench.step('c', ""), "waits");
    EXPECT_EQ(bench.step('b', "commit"), "ok");
    EXPECT_EQ(bench.step('c', ""), "error unique-violation");
    EXPECT_EQ(bench.step('d', ""), "error unique-violation");
}

TEST_F(LockQueueTest, slot_of_a_key_that_never_came_to_be_is_removed) {
    EXPECT_EQ(bench.step('a', "begin"), "ok");
    EXPECT_EQ(bench.step('a', "put D 1"), "D 1");
    EXPECT_EQ(bench.step('b', "begin"), "ok");
    EXPECT_EQ(bench.step('b', "put D 1"), "waits");
    bench.client('b').drop_session();
    EXPECT_EQ(bench.step('a', "rollback"), "ok");
    EXPECT_EQ(bench.step('c', "read_all"), "A 10, B 10, C 10");
    EXPECT_EQ(bench.database->committed_rows("stock").size(), 3U);
}

TEST_F(LockQueueTest, pipelines_interleave_between_their_calls) {
    const auto pipeline = [](ModelSession& session,
                             std::vector<std::string> skus) -> Task<std::string> {
        std::vector<Call> calls;
        for (const std::string& sku : skus) {
            Row arguments;
            arguments.emplace_back(sku);
            arguments.emplace_back(std::int64_t{1});
            calls.emplace_back(take, std::move(arguments));
        }
        RP_ASSERT(session.begin());
        const auto result = co_await session.commit(std::move(calls));
        co_return result ? "ok" : result.error().code();
    };
    std::map<std::string, int> outcomes;
    const auto count = [&](std::exception_ptr, std::string outcome) { ++outcomes[outcome]; };
    asio::co_spawn(bench.context, pipeline(bench.client('a').session(), {"A", "B"}), count);
    asio::co_spawn(bench.context, pipeline(bench.client('b').session(), {"B", "A"}), count);
    bench.settle();
    EXPECT_EQ(outcomes, (std::map<std::string, int>{{"deadlock", 1}, {"ok", 1}}));
    EXPECT_EQ(bench.step('c', "read_all"), "A 9, B 9, C 10");
}

TEST_F(LockQueueTest, destroying_the_database_destroys_the_calls_that_wait) {
    queue_up();
    const auto witness = std::make_shared<int>(0);
    const auto call = [](std::shared_ptr<int>, ModelDatabase& database) -> Task<void> {
        const auto session = database.open_session();
        std::vector<Call> calls;
        Row arguments;
        arguments.emplace_back("A");
        calls.emplace_back(lock, std::move(arguments));
        RP_ASSERT(session->begin());
        co_await session->execute(std::move(calls));
        ADD_FAILURE() << "the call completed";
    };
    asio::co_spawn(bench.context, call(witness, *bench.database), asio::detached);
    bench.settle();
    EXPECT_EQ(witness.use_count(), 2);
    const Client& other = bench.client('b');
    bench.database.reset();
    bench.settle();
    EXPECT_EQ(witness.use_count(), 1);
    EXPECT_TRUE(other.waiting());
}

TEST(LockMetrics, count_waits_deadlocks_conflicts_commits_and_aborts) {
    Duration time{};
    ModelOptions options;
    options.elapsed = [&time] { return time; };
    Bench bench(std::move(options));
    bench.step('a', "begin");
    bench.step('a', "take A 1");
    bench.step('b', "begin");
    bench.step('b', "take B 1");
    bench.step('b', "take A 1");
    time += std::chrono::milliseconds(3);
    EXPECT_EQ(bench.step('a', "take B 1"), "error deadlock");
    bench.step('b', "commit");
    bench.step('c', "begin repeatable_read");
    bench.step('c', "read A");
    bench.step('b', "take A 1");
    EXPECT_EQ(bench.step('c', "take A 1"), "error serialization-failure");
    const ModelMetrics& metrics = bench.database->metrics();
    EXPECT_EQ(metrics.lock_waits, 1U);
    EXPECT_EQ(metrics.lock_wait_time, std::chrono::milliseconds(3));
    EXPECT_EQ(metrics.deadlocks, 1U);
    EXPECT_EQ(metrics.conflicts, 1U);
    EXPECT_EQ(metrics.commits, 5U);  // three initial rows, then b twice
    EXPECT_EQ(metrics.aborts, 2U);
}

}  // namespace rushproof::simulator::example
