// Goal: a switch loses nothing, doubles nothing and keeps the order of every key, also on its way
// back; and nobody acts on a route that was given up.
// Method: publishers and consumers that do what the contracts say, over queues that are lists, with
// the real switchboard on the model database and on our SQL alike.
#include "core/runtime/queue_switch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime/queue_route_model.hpp"
#include "core/runtime/route_membership.hpp"
#include "core/runtime/tests/fake_environment.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"
#include "core/runtime/tests/statement_checks.hpp"
#include "simulator/models/database/direct_database.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const QueueRouteSql& sql() {
    static const QueueRouteSql made({"test", "test.", "test_"});
    return made;
}

ModelSchema schema() {
    ModelSchema result;
    add_queue_route_model(result, sql());
    return result;
}

constexpr Migration tables{.version = 1, .name = "test.create_tables", .sql = "", .sqlite = R"(
CREATE TABLE test_queue_route (one INTEGER PRIMARY KEY, epoch INTEGER, provider TEXT, previous TEXT,
    phase TEXT, begun_at TIMESTAMP, deadline_at TIMESTAMP);
CREATE TABLE test_queue_member (id TEXT PRIMARY KEY, role TEXT, epoch INTEGER, drained INTEGER,
    carried INTEGER, until_at TIMESTAMP);
CREATE TABLE test_queue_switch (epoch INTEGER PRIMARY KEY, from_provider TEXT, to_provider TEXT,
    begun_at TIMESTAMP, ended_at TIMESTAMP, carried INTEGER, outcome TEXT, reason TEXT);
)"};

simulator::ModelOptions model_options(FakeWorld& world) {
    simulator::ModelOptions options;
    options.wall = [&world] { return world.wall(); };
    options.elapsed = [&world] { return world.monotonic().time_since_epoch(); };
    return options;
}

enum class Engine : std::uint8_t { model, sqlite };

struct Sent {
    std::string key;
    int number;
};

class QueueSwitchTest : public testing::TestWithParam<Engine> {
protected:
    QueueSwitchTest() {
        sqlite_.migrate({tables});
        EXPECT_TRUE(finish(board_.prepare(context(), "old")));
    }

    Context context() const { return Context(fake_.world.monotonic() + seconds(5)); }
    Database& database() {
        return GetParam() == Engine::model ? static_cast<Database&>(model_) : sqlite_;
    }
    // run() would never end: members renew for ever.
    template <class T>
    T finish(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(fake_.world.executor(""), std::move(task),
                       [&result](const std::exception_ptr&, T value) { result.emplace(value); });
        for (int i = 0; i < 1000 && !result; ++i) { fake_.world.run_for(milliseconds(1)); }
        return result.value();
    }
    QueueRoute route() { return finish(board_.read(context())).value(); }
    void advance(Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(20)) {
            EXPECT_TRUE(finish(board_.advance(context())));
            fake_.world.run_for(milliseconds(20));
        }
    }

    // Publishes one message of each key every 10 ms, as long as it is alive.
    void add_publisher(const std::string& id) {
        auto& membership = add_member(id, RouteRole::publisher);
        asio::co_spawn(fake_.world.executor(""), publish_for_ever(membership, id), asio::detached);
    }
    void add_consumer(const std::string& id) {
        auto& membership = add_member(id, RouteRole::consumer);
        asio::co_spawn(fake_.world.executor(""), consume_for_ever(membership, id), asio::detached);
    }

    void expect_order_and_nothing_lost() {
        std::map<std::string, int> last;
        for (const Sent& message : done_) {
            EXPECT_EQ(message.number, last[message.key] + 1) << message.key;
            last[message.key] = message.number;
        }
        EXPECT_EQ(last, accepted_);
    }
    QueueSwitch last_switch() { return finish(board_.switches(context(), 1)).value().at(0); }

    FakeEnvironment fake_;
    simulator::ModelDatabase store_{schema(), model_options(fake_.world)};
    simulator::DirectDatabase model_{store_};
    MemorySqlite sqlite_{[this] { return fake_.world.wall(); }};
    Environment environment_{fake_.world, fake_.world, fake_.world,       fake_.rpc,
                             database(),  fake_.world, fake_.world.queues};
    Result<void> reachable_;
    QueueSwitchboard board_{
        environment_, sql(), {}, [this](Context, std::string) -> Task<Result<void>> {
            co_return reachable_;
        }};
    std::map<std::string, std::deque<Sent>> queues_;
    std::set<std::string> stuck_;  // queues that nobody can consume
    std::map<std::string, int> accepted_;
    std::vector<Sent> done_;
    std::map<std::string, std::int64_t> drained_;
    std::set<std::string> silent_;  // members whose renewals fail
    bool publish_ = true;

private:
    RouteMembership& add_member(const std::string& id, RouteRole role) {
        auto renew = [this, id, role](Context within,
                                      std::int64_t epoch) -> Task<Result<QueueRoute>> {
            if (silent_.contains(id)) {
                co_return failure(ErrorKind::retryable, "unavailable", "cut off");
            }
            RouteMember member{id, role, epoch, drained_[id], 0};
            co_return co_await board_.renew(std::move(within), std::move(member));
        };
        members_.push_back(
            std::make_unique<RouteMembership>(environment_, renew, RouteMembership::Options()));
        asio::co_spawn(fake_.world.executor(""), members_.back()->run(), asio::detached);
        return *members_.back();
    }

    // Sending takes 5 ms; what arrives after the lease is not acknowledged.
    Task<void> publish_for_ever(RouteMembership& membership, std::string id) {
        int number = 0;
        while (true) {
            co_await sleep_for(fake_.world, milliseconds(10));
            if (!publish_) { continue; }
            const auto work = membership.begin();
            if (!work || publishes_to(work->route()).empty()) { continue; }
            const std::string to(publishes_to(work->route()));
            co_await sleep_for(fake_.world, milliseconds(5));
            if (fake_.world.monotonic() >= work->until()) { continue; }
            queues_[to].push_back({id, ++number});
            accepted_[id] = number;
        }
    }

    Task<void> consume_for_ever(RouteMembership& membership, std::string id) {
        while (true) {
            co_await sleep_for(fake_.world, milliseconds(7));
            const auto work = membership.begin();
            if (!work) { continue; }
            const std::string from(consumes_from(work->route()));
            auto& queue = queues_[from];
            if (stuck_.contains(from)) { continue; }
            if (queue.empty()) {
                if (drains(work->route())) { drained_[id] = work->route().epoch; }
                continue;
            }
            done_.push_back(queue.front());
            queue.pop_front();
        }
    }

    std::vector<std::unique_ptr<RouteMembership>> members_;
};

INSTANTIATE_TEST_SUITE_P(Engines, QueueSwitchTest, testing::Values(Engine::model, Engine::sqlite),
                         [](const auto& instance) {
                             return instance.param == Engine::model ? "model" : "sqlite";
                         });

TEST_P(QueueSwitchTest, TheFirstProviderIsKept) {
    EXPECT_TRUE(finish(board_.prepare(context(), "other")));
    EXPECT_EQ(route().provider, "old");
    EXPECT_EQ(route().phase, RoutePhase::steady);
}

TEST_P(QueueSwitchTest, GoesOverUnderLoad) {
    for (const char* id : {"p1", "p2", "p3"}) { add_publisher(id); }
    for (const char* id : {"c1", "c2"}) { add_consumer(id); }
    fake_.world.run_for(seconds(2));
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    advance(seconds(10));
    EXPECT_EQ(route().provider, "new");
    EXPECT_EQ(route().phase, RoutePhase::steady);
    EXPECT_EQ(last_switch().outcome, "done");
    EXPECT_LT(last_switch().length, seconds(2));
    publish_ = false;
    fake_.world.run_for(seconds(30));
    EXPECT_GT(accepted_["p1"], 300);
    expect_order_and_nothing_lost();
}

TEST_P(QueueSwitchTest, WhatCannotBeReachedIsGivenUpAtOnce) {
    add_publisher("p1");
    add_consumer("c1");
    fake_.world.run_for(seconds(1));
    reachable_ = failure(ErrorKind::permanent, "not-configured", "no broker new is configured");
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    EXPECT_EQ(finish(board_.begin(context(), "third", seconds(30))).error().code(),
              "switch-under-way");
    advance(milliseconds(100));
    EXPECT_EQ(route().provider, "old");
    EXPECT_EQ(route().phase, RoutePhase::steady);
    EXPECT_EQ(last_switch().outcome, "rolled-back");
    EXPECT_EQ(last_switch().reason, "no broker new is configured");
    EXPECT_EQ(finish(board_.begin(context(), "old", seconds(30))).error().code(), "already-there");
}

TEST_P(QueueSwitchTest, WaitsForAProviderThatComesInTime) {
    add_consumer("c1");
    fake_.world.run_for(seconds(1));
    reachable_ = failure(ErrorKind::retryable, "unavailable", "it is away");
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    advance(seconds(5));
    EXPECT_EQ(route().phase, RoutePhase::opening);
    reachable_ = {};
    advance(seconds(5));
    EXPECT_EQ(route().provider, "new");
}

TEST_P(QueueSwitchTest, GoesBackWhenItCannotDrainAndKeepsTheOrder) {
    for (const char* id : {"p1", "p2"}) { add_publisher(id); }
    for (const char* id : {"c1", "c2"}) { add_consumer(id); }
    fake_.world.run_for(seconds(1));
    stuck_.insert("old");
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(3))));
    advance(seconds(2));
    EXPECT_EQ(route().phase, RoutePhase::draining);
    advance(seconds(2));
    EXPECT_EQ(route().phase, RoutePhase::returning);
    EXPECT_TRUE(publishes_to(route()).empty());
    EXPECT_GT(queues_["new"].size(), 0u);
    stuck_.clear();
    advance(seconds(8));
    EXPECT_EQ(route().provider, "old");
    EXPECT_EQ(route().phase, RoutePhase::steady);
    EXPECT_EQ(last_switch().outcome, "rolled-back");
    publish_ = false;
    fake_.world.run_for(seconds(30));
    expect_order_and_nothing_lost();
}

TEST_P(QueueSwitchTest, APublisherThatIsCutOffIsWaitedForAndThenPublishesNothing) {
    for (const char* id : {"p1", "p2"}) { add_publisher(id); }
    add_consumer("c1");
    fake_.world.run_for(seconds(1));
    silent_.insert("p2");
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    advance(seconds(1));
    EXPECT_EQ(route().phase, RoutePhase::moving);
    const int before = accepted_["p2"];
    EXPECT_GT(before, 0);
    advance(seconds(4));
    EXPECT_EQ(route().phase, RoutePhase::steady);
    const int cut_off = accepted_["p2"];
    advance(seconds(2));
    EXPECT_EQ(accepted_["p2"], cut_off);
    silent_.clear();
    advance(seconds(2));
    EXPECT_GT(accepted_["p2"], cut_off);
    publish_ = false;
    fake_.world.run_for(seconds(30));
    expect_order_and_nothing_lost();
}

TEST_P(QueueSwitchTest, NobodyConsumesMeansNothingIsDrained) {
    add_publisher("p1");
    fake_.world.run_for(seconds(1));
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    advance(seconds(5));
    EXPECT_EQ(route().phase, RoutePhase::draining);
    add_consumer("c1");
    advance(seconds(5));
    EXPECT_EQ(route().provider, "new");
}

TEST_P(QueueSwitchTest, ThereAndBackAgain) {
    for (const char* id : {"p1", "p2"}) { add_publisher(id); }
    for (const char* id : {"c1", "c2"}) { add_consumer(id); }
    fake_.world.run_for(seconds(1));
    for (const char* to : {"new", "third", "old", "new"}) {
        EXPECT_TRUE(finish(board_.begin(context(), to, seconds(30))));
        advance(seconds(4));
        EXPECT_EQ(route().provider, to);
    }
    publish_ = false;
    fake_.world.run_for(seconds(60));
    expect_order_and_nothing_lost();
}

TEST_P(QueueSwitchTest, AMemberThatLeftIsNotWaitedFor) {
    add_consumer("c1");
    fake_.world.run_for(seconds(1));
    RouteMember gone{"p9", RouteRole::publisher, 0, 0, 0};
    EXPECT_TRUE(finish(board_.renew(context(), gone)));
    EXPECT_TRUE(finish(board_.leave(context(), "p9")));
    EXPECT_TRUE(finish(board_.begin(context(), "new", seconds(30))));
    advance(seconds(2));
    EXPECT_EQ(route().phase, RoutePhase::steady);
}

TEST(RouteMembership, WorkOfALostLeaseIsPastForGood) {
    FakeEnvironment fake;
    QueueRoute route{.epoch = 1, .provider = "old", .previous = "", .phase = RoutePhase::steady};
    auto renew = [&](Context, std::int64_t) -> Task<Result<QueueRoute>> { co_return route; };
    RouteMembership member(fake.environment, renew, {});
    EXPECT_FALSE(member.begin());
    fake.world.finish(member.renew());
    auto work = member.begin();
    ASSERT_TRUE(work);
    EXPECT_GT(work->until(), fake.world.monotonic());
    fake.world.run_for(seconds(4));
    EXPECT_FALSE(member.begin());
    fake.world.finish(member.renew());
    EXPECT_TRUE(member.begin());
    EXPECT_LT(work->until(), fake.world.monotonic());
}

TEST(RouteMembership, TellsTheOldestRouteThatIsStillActedUpon) {
    FakeEnvironment fake;
    QueueRoute route{.epoch = 1, .provider = "old", .previous = "", .phase = RoutePhase::steady};
    std::vector<std::int64_t> told;
    auto renew = [&](Context, std::int64_t epoch) -> Task<Result<QueueRoute>> {
        told.push_back(epoch);
        co_return route;
    };
    RouteMembership member(fake.environment, renew, {});
    fake.world.finish(member.renew());
    {
        auto work = member.begin();
        ASSERT_TRUE(work);
        route.epoch = 3;
        fake.world.finish(member.renew());
        fake.world.finish(member.renew());
    }
    fake.world.finish(member.renew());
    EXPECT_EQ(told, (std::vector<std::int64_t>{0, 1, 1, 3}));
}

TEST(QueueRouteStatements, HaveModelsAndPrepare) {
    expect_models(schema(), sql().all(), "test");
    expect_same_parameters(sql().all());
    MemorySqlite database([] { return WallTime(); });
    database.migrate({tables});
    expect_all_prepare(database, sql().all());
    expect_columns(database, schema());
}

}  // namespace
}  // namespace rushproof
