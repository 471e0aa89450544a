// Goal: what the queue in tables promises beyond its port: publishers share transactions, claims
// are renewed and run out, an unknown commit is an unknown outcome, and every statement has its
// model.  The rest is in tests/conformance/queue.
// Method: queues in the fake world on the model database, behind one that counts and fails as told.
#include "core/runtime/table_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/runtime/scope.hpp"
#include "core/runtime/table_queue_model.hpp"
#include "core/runtime/tests/failing_database.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "core/runtime/tests/statement_checks.hpp"
#include "core/runtime/tests/table_queue_tables.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ids = std::vector<std::string>;

ModelSchema model_schema() {
    ModelSchema schema;
    add_table_queue_model(schema, test_queue_sql());
    return schema;
}

simulator::ModelOptions model_options(FakeWorld& world) {
    simulator::ModelOptions options;
    options.wall = [&world] { return world.wall(); };
    options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
    return options;
}

TEST(TableQueueStatements, AllHaveAModelAndANameOfTheirOwn) {
    expect_models(model_schema(), test_queue_sql().all(), "test");
}

TEST(TableQueueStatements, TakeTheSameParametersInBothDialects) {
    expect_same_parameters(test_queue_sql().all());
}

TEST(TableQueueStatements, FitTheTables) {
    MemorySqlite database([] { return WallTime(); });
    database.migrate(test_queue_migrations());
    expect_all_prepare(database, test_queue_sql().all());
    expect_columns(database, model_schema());
}

TEST(TableQueueContent, ComesBackAsItWas) {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) { every_byte += static_cast<char>(i); }
    const Message messages[] = {{"", "", {}, ""},
                                {"id", "key", {}, "50%\n"},
                                {"a\nb", "%41", {{"name", ""}, {"", "value"}}, every_byte},
                                {"id", every_byte, {{every_byte, every_byte}}, "\n\n"}};
    for (const Message& message : messages) {
        const std::string content = table_queue::to_content(message);
        EXPECT_TRUE(std::all_of(content.begin(), content.end(),
                                [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
        const Message again = table_queue::from_content(content);
        EXPECT_EQ(again.id, message.id);
        EXPECT_EQ(again.key, message.key);
        EXPECT_EQ(again.headers, message.headers);
        EXPECT_EQ(again.body, message.body);
    }
}

TEST(TableQueueContent, DifferentIdsStayDifferent) {
    EXPECT_NE(table_queue::to_id("%41"), table_queue::to_id("A"));
    EXPECT_EQ(table_queue::to_id("0c9f-4"), "0c9f-4");
}

class TableQueueTest : public testing::Test {
protected:
    Context within(Duration time) const { return Context(world.monotonic() + time); }

    // As one more process.
    std::shared_ptr<TableQueue> open() {
        return std::make_shared<TableQueue>(environment, test_queue_sql(), options);
    }
    Task<std::string> publish(TableQueue& queue, std::string id, std::string key = {}) {
        Message message{std::move(id), std::move(key), {}, "body"};
        const auto answer = co_await queue.publish(within(seconds(5)), std::move(message));
        if (answer) { co_return "ok"; }
        co_return std::string(to_string(answer.error().kind())) + ' ' + answer.error().code();
    }
    Task<std::unique_ptr<Consumer>> join(TableQueue& queue) {
        auto joined = co_await queue.join(within(seconds(5)), "workers");
        co_return joined ? std::move(*joined) : nullptr;
    }
    Task<std::vector<Delivery>> next(Consumer& consumer, Duration longest) {
        auto found = co_await consumer.next(within(longest), 10);
        EXPECT_TRUE(found.has_value());
        co_return found ? std::move(*found) : std::vector<Delivery>();
    }
    Task<Ids> ids(Consumer& consumer, Duration longest) {
        Ids result;
        for (const Delivery& delivery : co_await next(consumer, longest)) {
            result.push_back(delivery.message.id);
        }
        co_return result;
    }

    // Runs a case, which is a coroutine without parameters.
    template <class Case>
    void run(Case test) {
        auto whole = [&]() -> Task<bool> {
            co_await test();
            co_return true;
        };
        EXPECT_EQ(world.finish(whole()), true);
    }

    TableQueueOptions options;
    FakeWorld world;
    simulator::ModelDatabase model{model_schema(), model_options(world)};
    simulator::DirectDatabase direct{model};
    FailingDatabase database{world, direct};
    FakeRpc rpc;
    Environment environment{world, world, world, rpc, database, world, world.queues};
};

TEST_F(TableQueueTest, PublishersThatWaitTogetherShareATransaction) {
    run([&]() -> Task<void> {
        const auto queue = open();
        const auto consumer = co_await join(*queue);
        EXPECT_EQ(co_await publish(*queue, "first"), "ok");
        database.fail_step(1'000'000, Fault::refused);
        database.distance = milliseconds(10);
        int accepted = 0;
        auto one = [&](int number) -> Task<void> {
            const std::string answer = co_await publish(*queue, std::to_string(number));
            accepted += answer == "ok" ? 1 : 0;
        };
        Scope scope(world);
        for (int number = 0; number < 10; ++number) { scope.start("publisher", one(number)); }
        co_await scope.join();
        EXPECT_EQ(accepted, 10);
        EXPECT_LE(database.steps(), 6);  // begin, execute, commit: for one, and for the others
    });
}

TEST_F(TableQueueTest, WhatIsHeldIsRenewedForAsLongAsItTakes) {
    run([&]() -> Task<void> {
        const auto one = open();
        const auto other = open();
        const auto slow = co_await join(*one);
        const auto quick = co_await join(*other);
        EXPECT_EQ(co_await publish(*one, "a", "k"), "ok");
        const auto held = co_await next(*slow, seconds(1));
        EXPECT_EQ(held.size(), 1u);
        EXPECT_EQ(co_await publish(*one, "b", "k"), "ok");
        const Ids early = co_await ids(*quick, options.claim * 6);
        EXPECT_TRUE(early.empty());
        const std::vector<std::uint64_t> numbers{held.at(0).number};
        const auto done = co_await slow->acknowledge(within(seconds(1)), numbers);
        EXPECT_TRUE(done.has_value());
        // The key is free as soon as its member looks again, or when its claim has run out.
        const Ids late = co_await ids(*quick, options.claim * 2);
        EXPECT_EQ(late.size(), 1u);
    });
}

TEST_F(TableQueueTest, ClaimsOfADeadProcessRunOut) {
    run([&]() -> Task<void> {
        const auto queue = open();
        const auto consumer = co_await join(*queue);
        EXPECT_EQ(co_await publish(*queue, "a", "k"), "ok");
        // Somebody who claimed everything, and died.
        const Context context = within(seconds(1));
        const auto transaction = co_await database.begin(context, TransactionOptions());
        std::vector<Call> calls;
        calls.emplace_back(
            test_queue_sql().claim,
            Row{std::string("workers"), std::string("the dead"), std::int64_t{7'000'000},
                std::vector<std::int64_t>(), std::int64_t{16}});
        const auto claimed = co_await (*transaction)->commit(std::move(calls));
        EXPECT_EQ(claimed->at(0).rows.size(), 1u);
        const MonotonicTime start = world.monotonic();
        const Ids early = co_await ids(*consumer, seconds(6));
        EXPECT_TRUE(early.empty());
        const Ids late = co_await ids(*consumer, seconds(6));
        EXPECT_EQ(late, Ids{"a"});
        EXPECT_LE(world.monotonic() - start, seconds(7) + options.poll * 2);
    });
}

TEST_F(TableQueueTest, AnUnknownCommitIsAnUnknownOutcome) {
    for (const Fault fault : {Fault::lost_answer, Fault::never_applied}) {
        run([&]() -> Task<void> {
            const auto queue = open();
            const auto consumer = co_await join(*queue);
            EXPECT_EQ(co_await publish(*queue, "first"), "ok");
            database.fail_step(3, fault);
            EXPECT_EQ(co_await publish(*queue, "a"), "unknown outcome connection-lost");
            EXPECT_TRUE(database.failed());
            EXPECT_EQ(co_await publish(*queue, "a"), "ok");
            const auto found = co_await next(*consumer, seconds(1));
            EXPECT_EQ(found.size(), 2u);
            std::vector<std::uint64_t> numbers;
            for (const Delivery& delivery : found) { numbers.push_back(delivery.number); }
            const auto done = co_await consumer->acknowledge(within(seconds(1)), numbers);
            EXPECT_TRUE(done.has_value());
            const Ids more = co_await ids(*consumer, seconds(1));
            EXPECT_TRUE(more.empty());
        });
    }
}

// Of each step in turn, of each kind.  What was accepted is delivered until it is acknowledged.
TEST_F(TableQueueTest, SurvivesAFaultAtEveryStep) {
    for (const Fault fault :
         {Fault::refused, Fault::lost_answer, Fault::never_applied, Fault::applied_later}) {
        for (int step = 1; step <= 12; ++step) {
            const std::string id =
                std::to_string(static_cast<int>(fault)) + "/" + std::to_string(step);
            SCOPED_TRACE(id);
            run([&]() -> Task<void> {
                const auto queue = open();
                std::unique_ptr<Consumer> consumer;
                database.fail_step(step, fault);
                while (!consumer) { consumer = co_await join(*queue); }
                std::string answer;
                while (answer != "ok") { answer = co_await publish(*queue, id, "k"); }
                std::vector<std::uint64_t> numbers;
                while (numbers.empty()) {
                    const auto found = co_await consumer->next(within(seconds(1)), 10);
                    if (!found) { continue; }
                    for (const Delivery& delivery : *found) {
                        EXPECT_EQ(delivery.message.id, id);
                        numbers.push_back(delivery.number);
                    }
                }
                EXPECT_EQ(numbers.size(), 1u);
                bool acknowledged = false;
                while (!acknowledged) {
                    const auto done = co_await consumer->acknowledge(within(seconds(1)), numbers);
                    acknowledged = done.has_value();
                }
                co_await sleep_for(world, seconds(1));  // whatever is applied later has been
                auto stats = co_await queue->stats(within(seconds(1)), "workers");
                if (!stats) { stats = co_await queue->stats(within(seconds(1)), "workers"); }
                EXPECT_EQ(stats.has_value() ? stats->unfinished : -1, 0);
                co_await consumer->close();
            });
        }
    }
}

TEST_F(TableQueueTest, StopWaitsForItsBackgroundWork) {
    run([&]() -> Task<void> {
        auto queue = open();
        auto consumer = co_await join(*queue);
        EXPECT_EQ(co_await publish(*queue, "a"), "ok");
        const auto held = co_await next(*consumer, seconds(1));
        EXPECT_EQ(held.size(), 1u);
        co_await consumer->close();
        consumer.reset();
        const MonotonicTime start = world.monotonic();
        co_await queue->stop();
        EXPECT_EQ(world.monotonic(), start);
        queue.reset();
    });
}

// Touches of freed memory are for the sanitizers to report.
TEST(TableQueue, ACrashDestroysPublishersAndConsumers) {
    FakeWorld world;
    simulator::ModelDatabase model(model_schema(), model_options(world));
    simulator::DirectDatabase direct(model);
    FailingDatabase database{world, direct};
    database.distance = milliseconds(10);
    FakeRpc rpc;
    Environment environment{world, world, world, rpc, database, world, world.queues};
    TableQueue queue(environment, test_queue_sql(), {});
    auto work = [&](std::string id) -> Task<void> {
        const Context context(world.monotonic() + seconds(60));
        const auto consumer = *co_await queue.join(context, "workers");
        for (;;) {
            Message message{id, "k", {}, ""};
            (void)co_await queue.publish(context, std::move(message));
            (void)co_await consumer->next(context, 1);
        }
    };
    for (const char* id : {"a", "b"}) {
        asio::co_spawn(world.executor("worker"), work(id), [](const std::exception_ptr&) {});
    }
    world.run_for(milliseconds(125));
}

}  // namespace
}  // namespace rushproof
