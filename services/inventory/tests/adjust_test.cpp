// Goal: adjusting several SKUs happens as a whole or not at all, and alone: reserves of every
// strategy wait for it, and it does not wait for them for long.
// Method: as use_case_test; a transaction of the test's own holds what is to be waited for.
#include <gtest/gtest.h>

#include "services/inventory/store/statements.hpp"
#include "services/inventory/tests/engines.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::seconds;

const Sku sku_b("SKU-B");

Options with(Strategy strategy) {
    Options options;
    options.strategy = strategy;
    return options;
}

Adjustment adjustment(const std::string& key, std::int64_t of_a, std::int64_t of_b) {
    return {alice,
            IdempotencyKey(key),
            {Line{sku_a, Quantity(of_a)}, Line{sku_b, Quantity(of_b)}},
            true};
}

class AdjustingMany : public OnEveryEngine {
protected:
    Result<std::vector<Stock>> adjust(Adjustment wish) {
        return *world_.finish(bench_.application.adjust(bench_.context(), std::move(wish)));
    }
};

INSTANTIATE_TEST_SUITE_P(All, AdjustingMany, every_engine_and_strategy(), &name_of);

TEST_P(AdjustingMany, HappensWholeOrNotAtAll) {
    bench_.set_stock(5, sku_a);
    EXPECT_EQ(adjust(adjustment("k0", 1, 1)).error().message(), "SKU-B: no such SKU");
    bench_.set_stock(5, sku_b);
    const auto refused = adjust(adjustment("k1", 1, -6));
    EXPECT_EQ(refused.error().code(), "conflict");
    EXPECT_EQ(refused.error().message(), "SKU-B: on_hand cannot go below the 0 that are held");
    EXPECT_EQ(bench_.stock(sku_a)->on_hand, Quantity(5));
    const auto adjusted = adjust(adjustment("k1", 5, -3));
    ASSERT_TRUE(adjusted);
    ASSERT_EQ(adjusted->size(), 2u);
    EXPECT_EQ(adjusted->at(0).on_hand, Quantity(10));
    EXPECT_EQ(adjusted->at(1).on_hand, Quantity(2));
    EXPECT_EQ(bench_.stock(sku_b)->on_hand, Quantity(2));
    EXPECT_EQ(bench_.audit(sku_a) + bench_.audit(sku_b), "");
}

TEST_P(AdjustingMany, ARepeatGetsTheFirstAnswer) {
    bench_.set_stock(5, sku_a);
    bench_.set_stock(5, sku_b);
    const auto first = adjust(adjustment("k", 5, 1));
    bench_.reserve("r", 1);
    const auto again = adjust(adjustment("k", 5, 1));
    ASSERT_TRUE(again);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(again->at(i).on_hand, first->at(i).on_hand);
        EXPECT_EQ(again->at(i).held, first->at(i).held);
        EXPECT_EQ(again->at(i).version, first->at(i).version);
    }
    EXPECT_EQ(adjust(adjustment("k", 5, 2)).error().code(), "key-reused");
    EXPECT_EQ(bench_.stock(sku_a)->on_hand, Quantity(10));
    EXPECT_EQ(bench_.audit(sku_a) + bench_.audit(sku_b), "");
}

// On the model database, whose timers run.
class Alone : public testing::TestWithParam<Strategy> {
protected:
    // A transaction that has executed this call and keeps its locks.
    std::unique_ptr<Transaction> holding(Call call) {
        auto open = [](Database& database, Context context,
                       Call first) -> Task<Result<std::unique_ptr<Transaction>>> {
            RP_CO_TRY(auto transaction, co_await database.begin(std::move(context)));
            auto calls = pipeline(std::move(first));
            RP_CO_CHECK(co_await transaction->execute(std::move(calls)));
            co_return transaction;
        };
        return *std::move(
            *world_.finish(open(model_.database(), bench_.context(), std::move(call))));
    }

    FakeWorld world_;
    ModelEngine model_{world_, true};
    Bench bench_{world_, model_.database(), with(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(All, Alone, testing::ValuesIn(all_strategies()));

TEST_P(Alone, ReservesWait) {
    bench_.set_stock(5);
    auto holder = holding(lock_table_call());
    std::vector<Result<Reservation>> answers;
    bench_.start_reserve("k", 1, answers);
    world_.run_for(seconds(10));
    EXPECT_TRUE(answers.empty());
    EXPECT_EQ(bench_.stock()->held, Quantity(0)) << "reading is not excluded";
    holder.reset();
    world_.run();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(Alone, ItsWaitIsBounded) {
    bench_.set_stock(5, sku_a);
    bench_.set_stock(5, sku_b);
    auto holder = holding(stock_call(statements::lock_stock, Sku("other")));
    const auto refused = *world_.finish(
        bench_.application.adjust(bench_.context(seconds(2)), adjustment("k", 1, 1)));
    EXPECT_EQ(refused.error().code(), "lock-timeout");
    EXPECT_EQ(refused.error().kind(), ErrorKind::retryable);
    EXPECT_GT(world_.count("inventory_failed_attempts_total " + std::string(to_string(GetParam())) +
                           " lock-timeout"),
              0u);
    EXPECT_EQ(bench_.stock()->on_hand, Quantity(5));
    holder.reset();
    EXPECT_TRUE(*world_.finish(bench_.application.adjust(bench_.context(), adjustment("k", 1, 1))));
    EXPECT_EQ(bench_.stock()->on_hand, Quantity(6));
}

}  // namespace
}  // namespace rushproof::inventory
