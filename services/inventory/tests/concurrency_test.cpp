// Goal: requests that interleave oversell nothing and double nothing; the naive strategy does.
// Method: many at once on the model database, whose pipelines give way between statements.
#include <gtest/gtest.h>

#include <algorithm>

#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

Options with(Strategy strategy) {
    Options options;
    options.strategy = strategy;
    return options;
}

class Concurrency : public testing::TestWithParam<Strategy> {
protected:
    FakeWorld world_;
    ModelEngine model_{world_};
    Bench bench_{world_, model_.database(), with(GetParam())};
    Bench other_instance_{world_, model_.database(), with(GetParam())};
    std::vector<Result<Reservation>> answers_;

    std::size_t succeeded() const {
        return static_cast<std::size_t>(
            std::count_if(answers_.begin(), answers_.end(),
                          [](const Result<Reservation>& answer) { return answer.has_value(); }));
    }
};

std::vector<Strategy> safe_strategies() {
    std::vector<Strategy> safe = all_strategies();
    std::erase(safe, Strategy::naive);
    return safe;
}

class SafeStrategy : public Concurrency {};
INSTANTIATE_TEST_SUITE_P(All, SafeStrategy, testing::ValuesIn(safe_strategies()));

TEST_P(SafeStrategy, SellsExactlyWhatIsThere) {
    bench_.set_stock(7);
    for (int i = 0; i < 10; ++i) {
        bench_.start_reserve("a" + std::to_string(i), 1, answers_);
        other_instance_.start_reserve("b" + std::to_string(i), 1, answers_);
    }
    world_.run();
    ASSERT_EQ(answers_.size(), 20u);
    EXPECT_EQ(succeeded(), 7u);
    for (const auto& answer : answers_) {
        if (!answer) { EXPECT_EQ(answer.error().code(), "insufficient-stock"); }
    }
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(SafeStrategy, ExpiresBeforeRefusingInManyRequestsAtOnce) {
    bench_.set_stock(6);
    for (int i = 0; i < 3; ++i) { bench_.reserve("old" + std::to_string(i), 2); }
    world_.run_for(std::chrono::minutes(11));
    for (int i = 0; i < 8; ++i) { bench_.start_reserve("new" + std::to_string(i), 1, answers_); }
    world_.run();
    EXPECT_EQ(succeeded(), 6u);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(SafeStrategy, HoldsBasketsAtOnceWholeOrNotAtAll) {
    const std::vector<Sku> skus{Sku("A"), Sku("B"), Sku("C")};
    for (const Sku& sku : skus) { bench_.set_stock(4, sku); }
    for (int i = 0; i < 6; ++i) {
        const std::string number = std::to_string(i);
        bench_.start_basket("a" + number, {{skus[0], Quantity(1)}, {skus[1], Quantity(1)}},
                            answers_);
        other_instance_.start_basket("b" + number, {{skus[2], Quantity(1)}, {skus[0], Quantity(1)}},
                                     answers_);
    }
    world_.run();
    EXPECT_EQ(answers_.size(), 12u);
    EXPECT_EQ(succeeded(), 4u);
    EXPECT_EQ(bench_.stock(skus[1])->held + bench_.stock(skus[2])->held, Quantity(4));
    for (const Sku& sku : skus) { EXPECT_EQ(bench_.audit(sku), ""); }
}

// Whoever changes stock keeps to the strategy's locks, not only who reserves.
TEST_P(SafeStrategy, KeepsWhatIsHeldWhileTheStockShrinks) {
    bench_.set_stock(10);
    std::size_t shrunk = 0;
    for (int i = 0; i < 10; ++i) {
        bench_.start_reserve("r" + std::to_string(i), 1, answers_);
        Adjustment adjustment{alice,
                              IdempotencyKey("a" + std::to_string(i)),
                              {Line{sku_a, Quantity(-1)}},
                              i % 3 == 0};
        asio::co_spawn(world_.executor("adjust"),
                       other_instance_.application.adjust(bench_.context(), std::move(adjustment)),
                       [&](const std::exception_ptr&, const Result<std::vector<Stock>>& answer) {
                           if (answer) { ++shrunk; }
                       });
    }
    world_.run();
    EXPECT_EQ(succeeded() + shrunk, 10u);
    EXPECT_EQ(bench_.stock()->available(), Quantity(0));
    EXPECT_EQ(bench_.audit(), "");
}

// As while a new configuration is being rolled out.
TEST(MixedStrategies, SellExactlyWhatIsThere) {
    std::vector<Strategy> mixable = safe_strategies();
    std::erase(mixable, Strategy::advisory_lock);
    for (const Strategy one : mixable) {
        for (const Strategy other : mixable) {
            SCOPED_TRACE(std::string(to_string(one)) + " and " + std::string(to_string(other)));
            FakeWorld world;
            ModelEngine model(world, true);
            Bench ours(world, model.database(), with(one));
            Bench theirs(world, model.database(), with(other));
            ours.set_stock(7);
            std::vector<Result<Reservation>> answers;
            for (int i = 0; i < 10; ++i) {
                ours.start_reserve("a" + std::to_string(i), 1, answers);
                theirs.start_reserve("b" + std::to_string(i), 1, answers);
            }
            world.run();
            EXPECT_EQ(std::ranges::count_if(answers, [](const auto& a) { return a.has_value(); }),
                      7);
            EXPECT_EQ(ours.audit(), "");
            for (const Strategy each : {one, other}) {
                EXPECT_EQ(world.count("inventory_failed_attempts_total " +
                                      std::string(to_string(each)) + " deadlock"),
                          0u);
            }
        }
    }
}

class AnyStrategy : public Concurrency {};
INSTANTIATE_TEST_SUITE_P(All, AnyStrategy, testing::ValuesIn(all_strategies()));

TEST_P(AnyStrategy, ConcurrentRepeatsShareOneReservation) {
    bench_.set_stock(10);
    for (int i = 0; i < 4; ++i) {
        bench_.start_reserve("k", 2, answers_);
        other_instance_.start_reserve("k", 2, answers_);
    }
    world_.run();
    ASSERT_EQ(succeeded(), 8u);
    for (const auto& answer : answers_) { EXPECT_EQ(answer->id, answers_[0]->id); }
    EXPECT_EQ(bench_.stock()->held, Quantity(2));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(AnyStrategy, TwoSweepsExpireEachReservationOnce) {
    bench_.set_stock(1000);
    for (int i = 0; i < 50; ++i) { bench_.reserve("k" + std::to_string(i), 1); }
    world_.run_for(std::chrono::minutes(11));
    std::size_t expired = 0;
    for (Bench* bench : {&bench_, &other_instance_}) {
        asio::co_spawn(world_.executor("sweep"), bench->application.expire_due(bench->context()),
                       [&](const std::exception_ptr&, Result<std::size_t> count) {
                           expired += count.value();
                       });
    }
    world_.run();
    EXPECT_EQ(expired, 50u);
    EXPECT_EQ(bench_.stock()->held, Quantity(0));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(AnyStrategy, ConfirmAndReleaseAtOnceEndItOnce) {
    bench_.set_stock(10);
    const ReservationId id = bench_.reserve("k", 2)->id;
    std::vector<Result<Reservation>> ends;
    for (const Ending wish : {Ending::confirm, Ending::release}) {
        asio::co_spawn(world_.executor("end"),
                       bench_.application.end(bench_.context(), wish, id, alice),
                       [&](const std::exception_ptr&, Result<Reservation> answer) {
                           ends.push_back(std::move(answer));
                       });
    }
    world_.run();
    ASSERT_EQ(ends.size(), 2u);
    EXPECT_NE(ends[0].has_value(), ends[1].has_value());
    EXPECT_EQ(bench_.audit(), "");
}

class Naive : public Concurrency {};
INSTANTIATE_TEST_SUITE_P(Only, Naive, testing::Values(Strategy::naive));

TEST_P(Naive, Oversells) {
    bench_.set_stock(1);
    for (int i = 0; i < 5; ++i) { bench_.start_reserve("k" + std::to_string(i), 1, answers_); }
    world_.run();
    EXPECT_GT(succeeded(), 1u);
    EXPECT_TRUE(bench_.audit().starts_with("oversold")) << bench_.audit();
}

}  // namespace
}  // namespace rushproof::inventory
