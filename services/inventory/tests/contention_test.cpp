// Goal: what competing costs is counted by its cause, and so is every call that gave up.
// Method: reserves at once on the model database, by strategies that meet different errors; a
// database that fails.
#include <gtest/gtest.h>

#include <optional>

#include "core/runtime/tests/failing_database.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::milliseconds;

const Sku sku_b("SKU-B");

struct Counted {
    explicit Counted(Strategy strategy)
        : word(to_string(strategy)), bench(world, database, options(strategy)) {
        bench.set_stock(100);
    }
    static Options options(Strategy strategy) {
        Options options;
        options.strategy = strategy;
        return options;
    }
    void reserve_at_once() {
        for (int i = 0; i < 10; ++i) { bench.start_reserve(std::to_string(i), 1, answers); }
        world.run();
        for (const auto& answer : answers) { EXPECT_TRUE(answer); }
        EXPECT_EQ(bench.audit(), "");
    }
    std::uint64_t failed(const std::string& cause) const {
        return world.count("inventory_failed_attempts_total " + word + ' ' + cause);
    }
    std::uint64_t failed() const {
        std::uint64_t sum = 0;
        for (const char* cause : {"deadlock", "serialization-failure", "version-conflict",
                                  "lock-timeout", "key-in-flight", "other"}) {
            sum += failed(cause);
        }
        return sum;
    }
    std::uint64_t gave_up(const std::string& limit) const {
        return world.count("inventory_given_up_total " + word + ' ' + limit);
    }

    std::string word;
    FakeWorld world;
    ModelEngine model{world, true};
    FailingDatabase database{world, model.database()};
    Bench bench;
    std::vector<Result<Reservation>> answers;
};

TEST(ContentionMetrics, OptimistsMeetVersionConflicts) {
    Counted counted(Strategy::optimistic);
    counted.reserve_at_once();
    EXPECT_GT(counted.failed("version-conflict"), 0u);
    EXPECT_EQ(counted.failed("version-conflict"), counted.failed());
}

TEST(ContentionMetrics, SerializableTransactionsAreRefused) {
    Counted counted(Strategy::serializable);
    counted.reserve_at_once();
    EXPECT_GT(counted.failed("serialization-failure"), 0u);
    EXPECT_EQ(counted.failed("serialization-failure"), counted.failed());
}

TEST(ContentionMetrics, WhoLocksFirstMeetsNothing) {
    for (const Strategy strategy : {Strategy::pessimistic, Strategy::conditional, Strategy::batched,
                                    Strategy::advisory_lock, Strategy::table_lock}) {
        Counted counted(strategy);
        counted.reserve_at_once();
        EXPECT_EQ(counted.failed(), 0u) << counted.word;
    }
}

// Locks against the order of SKUs, as none of ours does.
Task<Result<void>> lock_backwards(FakeWorld& world, Database& database, Context context) {
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context)));
    auto first = pipeline(stock_call(statements::lock_stock, sku_b));
    RP_CO_CHECK(co_await transaction->execute(std::move(first)));
    co_await sleep_for(world, milliseconds(100));
    auto second = pipeline(stock_call(statements::lock_stock, sku_a));
    RP_CO_CHECK(co_await transaction->execute(std::move(second)));
    co_return Result<void>();
}

TEST(ContentionMetrics, DeadlocksAreTriedAgain) {
    Counted counted(Strategy::pessimistic);
    counted.bench.set_stock(100, sku_b);
    std::optional<Result<void>> stranger;
    asio::co_spawn(counted.world.executor("stranger"),
                   lock_backwards(counted.world, counted.model.database(), counted.bench.context()),
                   [&](const std::exception_ptr&, Result<void> ended) { stranger = ended; });
    counted.bench.start_basket("k", {{sku_a, Quantity(1)}, {sku_b, Quantity(1)}}, counted.answers);
    counted.world.run();
    EXPECT_TRUE(stranger.value());
    EXPECT_EQ(counted.failed("deadlock"), 1u);
    EXPECT_EQ(counted.failed(), 1u);
    EXPECT_TRUE(counted.answers.at(0));
    EXPECT_EQ(counted.bench.audit(sku_a) + counted.bench.audit(sku_b), "");
}

// A basket that lacks its first line locks it to look for what is due, while others end theirs.
TEST(ContentionMetrics, BasketsThatLackALineDoNotDeadlock) {
    for (const Strategy strategy : all_strategies()) {
        if (strategy == Strategy::naive) { continue; }
        Counted counted(strategy);
        counted.bench.set_stock(4, sku_a);
        counted.bench.set_stock(100, sku_b);
        const std::vector<Line> lines{{sku_a, Quantity(1)}, {sku_b, Quantity(1)}};
        for (int i = 0; i < 4; ++i) {
            counted.bench.start_basket("held" + std::to_string(i), lines, counted.answers);
            counted.world.run();
        }
        counted.database.distance = milliseconds(1);
        for (int i = 0; i < 4; ++i) {
            counted.bench.start_basket("lacks" + std::to_string(i), lines, counted.answers);
            asio::co_spawn(counted.world.executor("end"),
                           counted.bench.application.end(
                               counted.bench.context(), Ending::release,
                               counted.answers[static_cast<std::size_t>(i)]->id, alice),
                           [](const std::exception_ptr&, const Result<Reservation>& released) {
                               EXPECT_TRUE(released);
                           });
        }
        counted.world.run();
        EXPECT_EQ(counted.failed("deadlock"), 0u) << counted.word;
        EXPECT_EQ(counted.bench.audit(sku_a) + counted.bench.audit(sku_b), "") << counted.word;
    }
}

TEST(ContentionMetrics, OtherFailuresAreCountedToo) {
    Counted counted(Strategy::pessimistic);
    counted.database.fail_step(1, Fault::refused);
    EXPECT_TRUE(counted.bench.reserve("k", 1));
    EXPECT_EQ(counted.failed("other"), 1u);
    EXPECT_EQ(counted.failed(), 1u);
    EXPECT_EQ(counted.gave_up("attempts"), 0u);
}

TEST(ContentionMetrics, GivingUpIsCountedByItsReason) {
    Counted counted(Strategy::pessimistic);
    counted.database.fail_step(1, Fault::refused, true);
    EXPECT_FALSE(counted.bench.reserve("k", 1));
    EXPECT_EQ(counted.gave_up("attempts"), 1u);

    ReserveRequest request{alice, IdempotencyKey("k"), {Line{sku_a, Quantity(1)}}};
    const auto hurried = counted.world.finish(
        counted.bench.application.reserve(counted.bench.context(milliseconds(1)), request));
    EXPECT_FALSE(*hurried);
    EXPECT_EQ(counted.gave_up("deadline"), 1u);

    EXPECT_EQ(counted.gave_up("budget"), 0u);
    for (int i = 0; i < 200; ++i) { counted.bench.reserve("k", 1); }
    EXPECT_GT(counted.gave_up("budget"), 0u);
    EXPECT_EQ(counted.gave_up("attempts") + counted.gave_up("deadline") + counted.gave_up("budget"),
              202u);
}

}  // namespace
}  // namespace rushproof::inventory
