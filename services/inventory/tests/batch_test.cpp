// Goal: a batch gives everybody his own answer, in the order of arrival, in two round trips.
// Method: requests that arrive while the first transaction is under way; a database that counts and
// fails.
#include <gtest/gtest.h>

#include "core/runtime/tests/failing_database.hpp"
#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

class Batch : public testing::Test {
protected:
    // The first arrives alone; whoever comes while it is served forms the next batch.
    void start(const std::vector<std::pair<std::string, std::int64_t>>& wishes) {
        for (const auto& [key, units] : wishes) { bench_.start_reserve(key, units, answers_); }
    }
    std::vector<std::string> words() const {
        std::vector<std::string> words;
        for (const auto& answer : answers_) {
            words.push_back(answer ? answer->key.text() : answer.error().code());
        }
        return words;
    }

    FakeWorld world_;
    ModelEngine model_{world_};
    FailingDatabase database_{world_, model_.database()};
    Bench bench_{world_, database_};
    Bench other_instance_{world_, model_.database()};
    std::vector<Result<Reservation>> answers_;
};

using Words = std::vector<std::string>;

TEST_F(Batch, ServesInTheOrderOfArrivalAndFitsWhatItCan) {
    bench_.set_stock(5);
    start({{"a", 3}, {"b", 3}, {"c", 2}, {"d", 1}});
    world_.run();
    EXPECT_EQ(words(), (Words{"a", "insufficient-stock", "c", "insufficient-stock"}));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_F(Batch, ManyShareTwoRoundTrips) {
    bench_.set_stock(1'000);
    database_.fail_step(INT32_MAX, Fault::refused);
    std::vector<std::pair<std::string, std::int64_t>> wishes;
    for (int i = 0; i < 300; ++i) { wishes.emplace_back("k" + std::to_string(i), 1); }
    start(wishes);
    world_.run();
    EXPECT_EQ(answers_.size(), 300u);
    EXPECT_EQ(bench_.stock()->held, Quantity(300));
    // begin, look and commit of one batch of 256 and one of 44, perhaps one of the first alone; and
    // the three steps of reading the stock.
    EXPECT_LE(database_.steps(), 3 * 3 + 2);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_F(Batch, RepeatsWaitForTheFirst) {
    bench_.set_stock(10);
    start({{"a", 1}, {"k", 2}, {"k", 2}, {"k", 3}});
    world_.run();
    EXPECT_EQ(words(), (Words{"a", "k", "k", "key-reused"}));
    EXPECT_EQ(answers_[1]->id, answers_[2]->id);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_F(Batch, AKeyThatAnotherInstanceTookForAnotherSkuHurtsNobodyElse) {
    const Sku sku_b("SKU-B");
    bench_.set_stock(10);
    bench_.set_stock(10, sku_b);
    other_instance_.start_reserve("k", 2, answers_, sku_b);
    start({{"a", 1}, {"b", 1}, {"k", 2}, {"c", 1}, {"d", 1}});
    world_.run();
    std::size_t held = 0;
    for (const auto& answer : answers_) {
        if (answer) { ++held; }
    }
    EXPECT_EQ(held, 5u);  // all but one of the two under the same key
    EXPECT_EQ(bench_.audit(), "");
    EXPECT_EQ(bench_.audit(sku_b), "");
}

TEST_F(Batch, OfUnknownOutcomeIsFoundOutByRepeating) {
    for (const Fault fault : {Fault::lost_answer, Fault::never_applied, Fault::applied_later}) {
        FakeWorld world;
        ModelEngine model(world);
        FailingDatabase database(world, model.database());
        Bench bench(world, database);
        bench.set_stock(3);
        std::vector<Result<Reservation>> answers;
        for (int i = 0; i < 5; ++i) { bench.start_reserve("k" + std::to_string(i), 1, answers); }
        database.fail_step(3, fault);
        world.run();
        ASSERT_EQ(answers.size(), 5u);
        const auto held = std::count_if(answers.begin(), answers.end(),
                                        [](const auto& answer) { return answer.has_value(); });
        EXPECT_EQ(held, 3);
        EXPECT_EQ(bench.audit(), "");
    }
}

TEST_F(Batch, WhoseTimeIsUpIsNotServed) {
    bench_.set_stock(10);
    database_.fail_step(1, Fault::refused, true);
    start({{"a", 1}});
    world_.run_for(std::chrono::seconds(1));
    auto late = bench_.application.reserve(
        bench_.context(Duration(0)),
        ReserveRequest{alice, IdempotencyKey("late"), {Line{sku_a, Quantity(1)}}});
    EXPECT_EQ(world_.finish(std::move(late))->error().code(), "deadline-exceeded");
}

}  // namespace
}  // namespace rushproof::inventory
