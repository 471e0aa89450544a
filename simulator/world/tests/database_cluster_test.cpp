// Goal: a primary, its standbys and the pool of a process keep what core/real/postgres promises,
// whatever becomes of the servers; what is lost is lost only where the options allow it.
// Method: one process and a database of a few machines in virtual time; faults by hand.
#include "simulator/world/database_cluster.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "simulator/models/database/tests/example.hpp"
#include "simulator/world/fault_points.hpp"
#include "simulator/world/sim_database.hpp"
#include "simulator/world/tests/toy_world.hpp"

namespace rushproof::simulator {
namespace {

using namespace std::chrono_literals;

using Answer = Result<std::vector<Rows>>;

// The databases of a process on a machine of its own.
struct ClientProcess {
    ClientProcess(ToyWorld& world, DatabaseCluster& cluster, const std::string& name)
        : host(world.scheduler.add_machine(name)), database(host, world.network, cluster, points) {}

    FaultPoints points;
    Host host;
    SimDatabase database;
};

class ClusterTest : public testing::Test {
protected:
    ~ClusterTest() override {
        for (auto& client : clients_) { client->host.crash(); }
    }

    void start(const SystemSpec& system) {
        system_ = system;
        system_.replica_lag = {.kind = DrawKind::constant, .mean = 1ms};
        std::vector<Machine*> machines{&world_.scheduler.add_machine("database")};
        for (std::int64_t i = 0; i < system.replicas; ++i) {
            machines.push_back(&world_.scheduler.add_machine("replica/" + std::to_string(i)));
        }
        cluster_ = std::make_unique<DatabaseCluster>(world_.network, machines,
                                                     example::model_schema(), system_);
        for (const char* name : {"inventory/0", "inventory/1"}) {
            clients_.push_back(std::make_unique<ClientProcess>(world_, *cluster_, name));
        }
        expect_ok(once(put("A", 10)));
        pass(100ms);
    }

    static Call put(const std::string& sku, std::int64_t units) {
        return {example::put, {sku, units}};
    }
    static Call take(std::int64_t units) { return {example::take, {std::string("A"), units}}; }

    void pass(Duration time) { world_.scheduler.run_until(world_.scheduler.now() + time); }
    // Runs it on that process until it ends.
    template <class T>
    T finish(Task<T> task, std::size_t client = 0) {
        std::optional<T> result;
        begin(std::move(task), result, client);
        for (int i = 0; i < 20'000 && !result; ++i) { pass(1ms); }
        EXPECT_TRUE(result.has_value());
        return *std::move(result);
    }
    template <class T>
    void begin(Task<T> task, std::optional<T>& result, std::size_t client = 0) {
        const auto keep = [](Task<T> what, std::optional<T>& into) -> Task<void> {
            T value = co_await std::move(what);
            into.emplace(std::move(value));
        };
        clients_[client]->host.spawn("test", keep(std::move(task), result));
    }
    Task<Answer> transact(Call call, TransactionOptions options = {}, std::size_t client = 0) {
        const Context context(clients_[client]->host.clock().monotonic() + 5s);
        RP_CO_TRY(const auto transaction,
                  co_await clients_[client]->database.begin(context, options));
        std::vector<Call> calls;
        calls.push_back(std::move(call));
        auto answer = co_await transaction->commit(std::move(calls));
        position_ = transaction->position();
        co_return answer;
    }
    Answer once(Call call, TransactionOptions options = {}, std::size_t client = 0) {
        return finish(transact(std::move(call), options, client), client);
    }
    static void expect_ok(const Answer& answer) {
        EXPECT_TRUE(answer) << (answer ? "" : answer.error().message());
    }
    std::int64_t units(TransactionOptions options = {}, std::size_t client = 0) {
        const Answer answer = once({example::read, {std::string("A")}}, options, client);
        expect_ok(answer);
        return answer && !answer->at(0).rows.empty() ? integer(answer->at(0).rows[0], 1) : -1;
    }
    static TransactionOptions from_replica(LogPosition seen = 0) {
        TransactionOptions options;
        options.route = Route::replica;
        options.access = Access::read_only;
        options.seen = seen;
        return options;
    }
    DatabaseServer& server(std::string_view name) { return *cluster_->find(name); }
    void hold(const std::string& id, const std::string& from, const std::string& to) {
        LinkFault fault;
        fault.id = id;
        fault.hold = true;
        fault.links = {{from, to}, {to, from}};
        world_.network.inject(std::move(fault));
    }

    ToyWorld world_{7};
    SystemSpec system_;
    std::unique_ptr<DatabaseCluster> cluster_;
    std::vector<std::unique_ptr<ClientProcess>> clients_;
    LogPosition position_ = 0;
};

SystemSpec with_replicas(std::int64_t replicas, std::int64_t synchronous = 0) {
    SystemSpec system;
    system.replicas = replicas;
    system.synchronous_standbys = synchronous;
    return system;
}

TEST_F(ClusterTest, ALaggingReplicaBreaksReadYourWritesWithoutTheTokenOnly) {
    start(with_replicas(1));
    EXPECT_EQ(units(from_replica()), 10);
    EXPECT_EQ(DatabaseCluster::pause_replay(server("replica/0")), "replay paused");
    expect_ok(once(take(1)));
    const LogPosition token = position_;
    EXPECT_GT(token, 0U);
    pass(100ms);
    EXPECT_EQ(units(from_replica()), 10);
    EXPECT_EQ(units(from_replica(token)), 9);
    EXPECT_EQ(DatabaseCluster::resume_replay(server("replica/0")),
              "replay goes on, 1 commits behind");
    pass(100ms);
    EXPECT_EQ(units(from_replica()), 9);
    EXPECT_EQ(units(from_replica(token)), 9);
}

TEST_F(ClusterTest, EveryTokenIsHonouredWhileTheReplicaFollows) {
    start(with_replicas(2));
    for (std::int64_t left = 9; left >= 0; --left) {
        expect_ok(once(take(1)));
        const LogPosition token = position_;
        EXPECT_EQ(units(from_replica(token)), left);
    }
}

TEST_F(ClusterTest, AReplicaThatIsNotThereIsReplacedByThePrimary) {
    start(with_replicas(1));
    DatabaseCluster::kill(server("replica/0"));
    expect_ok(once(take(1)));
    EXPECT_EQ(units(from_replica()), 9);
    cluster_->start(server("replica/0"));
    pass(2s);
    cluster_->kill(server("database"));
    EXPECT_EQ(units(from_replica()), 9) << "it caught up with what it had missed";
}

TEST_F(ClusterTest, WithoutAReplicaTheRouteLeadsToThePrimary) {
    start(with_replicas(0));
    expect_ok(once(take(1)));
    EXPECT_EQ(position_, 0U);
    EXPECT_EQ(units(from_replica()), 9);
}

TEST_F(ClusterTest, AnAsynchronousStandbyLosesTheTailAndClientsFindIt) {
    start(with_replicas(1));
    hold("cut", "database", "replica/0");
    expect_ok(once(take(1)));
    expect_ok(once(take(2)));
    EXPECT_EQ(cluster_->promote({.id = "p", .target = "database"}),
              "replica/0 took over on timeline 2 without the last 2 commits of database");
    world_.network.lift("cut");
    EXPECT_EQ(&cluster_->primary(), &server("replica/0"));
    EXPECT_FALSE(once(take(1))) << "its connection led to the old one";
    EXPECT_EQ(units(), 10);
    expect_ok(once(take(4)));
    EXPECT_EQ(cluster_->rejoin("p"), "database follows it");
    pass(100ms);
    expect_ok(once(take(1)));
    pass(100ms);
    EXPECT_EQ(server("database").model().behind(), 0U);
    EXPECT_EQ(cluster_->promote({.id = "back", .target = "database"}),
              "database took over on timeline 3");
    once(take(0));
    EXPECT_EQ(units(), 5);
}

TEST_F(ClusterTest, ASynchronousStandbyHasWhatWasAcknowledged) {
    start(with_replicas(2, 1));
    expect_ok(once(take(1)));
    hold("cut", "database", "replica/0");
    expect_ok(once(take(1)));
    hold("cut too", "database", "replica/1");
    std::optional<Answer> answer;
    begin(transact(take(5)), answer);
    pass(1s);
    EXPECT_FALSE(answer) << "nobody else has it";
    EXPECT_EQ(units({}, 1), 8) << "and nobody sees it";
    cluster_->promote({.id = "p", .target = "database"});
    world_.network.lift("cut");
    world_.network.lift("cut too");
    pass(1s);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code(), "commit-unknown");
    EXPECT_EQ(cluster_->primary().name(), "replica/1") << "which is further";
    once(take(0));
    EXPECT_EQ(units(), 8);
    expect_ok(once(take(1)));
}

TEST_F(ClusterTest, AnOldPrimaryThatNobodyStopsGoesOn) {
    start(with_replicas(1));
    expect_ok(once(take(1), {}, 0));
    hold("cut", "database", "inventory/1");
    cluster_->promote({.id = "p", .target = "replica/0", .split_brain = true});
    expect_ok(once(take(4), {}, 1));
    expect_ok(once(take(2), {}, 0));
    EXPECT_EQ(units({}, 1), 5);
    EXPECT_EQ(units({}, 0), 7) << "two primaries";
    world_.network.lift("cut");
    cluster_->rejoin("p");
    once(take(0), {}, 0);
    EXPECT_EQ(units({}, 0), 5);
}

TEST_F(ClusterTest, ADemotedPrimaryThatRestartsFollowsTheNewOne) {
    start(with_replicas(1));
    DatabaseCluster::kill(server("database"));
    cluster_->promote({.id = "p", .target = "database"});
    EXPECT_EQ(cluster_->start(server("database")), "the standby is back");
    once(take(0));
    expect_ok(once(take(3)));
    pass(100ms);
    EXPECT_EQ(server("database").model().behind(), 0U);
    EXPECT_EQ(cluster_->rejoin("p"), "database follows it");
}

TEST_F(ClusterTest, TerminatedSessionsLoseTheirTransaction) {
    start(with_replicas(0));
    std::optional<std::string> told;
    const auto work = [](SimDatabase& database, Clock& clock) -> Task<std::string> {
        const TransactionOptions options;
        auto transaction = co_await database.begin(Context(clock.monotonic() + 5s), options);
        std::vector<Call> calls;
        calls.emplace_back(example::take, Row{std::string("A"), std::int64_t{1}});
        auto taken = co_await (*transaction)->execute(std::move(calls));
        co_await sleep_for(clock, 50ms);
        std::vector<Call> none;
        const auto answer = co_await (*transaction)->commit(std::move(none));
        co_return answer ? "ok" : answer.error().code();
    };
    begin(work(clients_[0]->database, clients_[0]->host.clock()), told);
    pass(20ms);
    EXPECT_EQ(cluster_->terminate_backends("database"), "1 backends terminated");
    pass(100ms);
    EXPECT_EQ(told, "connection-lost");
    EXPECT_EQ(units(), 10);
    EXPECT_EQ(cluster_->terminate_backends("database"), "");
}

TEST_F(ClusterTest, ACleanRestartLosesNothingAndACrashWithoutSynchronousCommitDoes) {
    SystemSpec system;
    system.synchronous_commit = false;
    start(system);
    pass(1s);
    expect_ok(once(take(1)));
    EXPECT_EQ(cluster_->terminate(server("database")), "the database was asked to end");
    EXPECT_EQ(cluster_->start(server("database")), "starts when it has ended");
    pass(2s);
    once(take(0));
    EXPECT_EQ(units(), 9);
    pass(1s);
    std::int64_t acknowledged = 0;
    for (; acknowledged < 6; ++acknowledged) { expect_ok(once(take(1))); }
    const std::string evidence = DatabaseCluster::kill(server("database"));
    EXPECT_NE(evidence.find("acknowledged commits"), std::string::npos) << evidence;
    cluster_->start(server("database"));
    once(take(0));
    EXPECT_GT(units(), 9 - acknowledged);
}

TEST_F(ClusterTest, AFullDiskRefusesBeforeItAcknowledges) {
    start(with_replicas(0));
    cluster_->trouble_disk({.id = "full", .server = "database", .full = true});
    const Answer answer = once(take(1));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable);
    EXPECT_NE(answer.error().message().find("53100"), std::string::npos);
    EXPECT_EQ(units(), 10);
    EXPECT_EQ(cluster_->heal_disk("full"), "1 statements found no room");
    expect_ok(once(take(1)));
}

TEST_F(ClusterTest, ASlowDiskDelaysCommits) {
    start(with_replicas(0));
    cluster_->trouble_disk({.id = "slow", .server = "database", .delay = 300ms});
    const Duration before = world_.scheduler.now();
    expect_ok(once(take(1)));
    EXPECT_GE(world_.scheduler.now() - before, 300ms);
    EXPECT_EQ(cluster_->heal_disk("slow"), "1 flushes took long");
}

TEST_F(ClusterTest, WaitsForLocksEnd) {
    start(with_replicas(0));
    const auto work = [](SimDatabase& database, Clock& clock, Duration stay) -> Task<std::string> {
        const TransactionOptions options;
        auto transaction = co_await database.begin(Context(clock.monotonic() + 30s), options);
        std::vector<Call> calls;
        calls.emplace_back(example::take, Row{std::string("A"), std::int64_t{1}});
        const auto taken = co_await (*transaction)->execute(std::move(calls));
        if (!taken) { co_return taken.error().code(); }
        co_await sleep_for(clock, stay);
        std::vector<Call> none;
        const auto answer = co_await (*transaction)->commit(std::move(none));
        co_return answer ? "ok" : answer.error().code();
    };
    const auto race = [&] {
        std::optional<std::string> first;
        std::optional<std::string> second;
        begin(work(clients_[0]->database, clients_[0]->host.clock(), 20s), first, 0);
        pass(10ms);
        const Duration start = world_.scheduler.now();
        begin(work(clients_[1]->database, clients_[1]->host.clock(), 0s), second, 1);
        while (!second) { pass(10ms); }
        const Duration waited = world_.scheduler.now() - start;
        EXPECT_EQ(second, "lock-timeout");
        while (!first) { pass(100ms); }
        EXPECT_EQ(first, "ok");
        return waited;
    };
    EXPECT_GE(race(), 5s);
    cluster_->shorten_lock_waits("short", "database", 50ms);
    EXPECT_LT(race(), 100ms);
    EXPECT_EQ(cluster_->heal_lock_waits("short"), "1 waits for a lock timed out");
}

}  // namespace
}  // namespace rushproof::simulator
