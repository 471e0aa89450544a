// Goal: reads may be served by a replica that lags, and never by one behind the position that they
// carry; every answer to a write, also the repeated one, carries the position that shows its
// effect. Method: a standby of the model database that replays only when it is told to.
#include <gtest/gtest.h>

#include "services/inventory/tests/engines.hpp"
#include "services/inventory/tests/replicated_database.hpp"

namespace rushproof::inventory {
namespace {

class Replica : public testing::TestWithParam<Strategy> {
protected:
    static Options options() {
        Options options;
        options.strategy = GetParam();
        options.reads = Route::replica;
        return options;
    }
    Context at(std::string position) const {
        Context context = bench_.context();
        context.position = std::move(position);
        return context;
    }
    template <class T>
    T finish(Task<T> task) {
        return world_.finish(std::move(task)).value();
    }
    Result<Reservation> get(const ReservationId& id, std::string position) {
        return finish(bench_.application.get_reservation(at(std::move(position)), id, alice));
    }
    Result<Stock> stock(std::string position) {
        return finish(bench_.application.get_stock(at(std::move(position)), sku_a));
    }

    FakeWorld world_;
    ReplicatedDatabase database_{world_};
    Bench bench_{world_, database_, options()};
};

INSTANTIATE_TEST_SUITE_P(All, Replica, testing::ValuesIn(all_strategies()),
                         [](const auto& each) { return word_of(each.param); });

TEST_P(Replica, OnlyThePositionOfAWriteShowsItsEffect) {
    bench_.set_stock(10);
    const auto made = bench_.reserve("k", 2);
    ASSERT_TRUE(made);
    EXPECT_EQ(get(made->id, "").error().code(), "not-found");
    EXPECT_EQ(get(made->id, made->position)->state, State::held);
    EXPECT_EQ(get(made->id, std::string(latest_position))->state, State::held);
    database_.catch_up();
    EXPECT_EQ(get(made->id, "")->state, State::held);

    const auto confirmed = bench_.confirm(made->id);
    EXPECT_EQ(get(made->id, made->position)->state, State::held);
    EXPECT_EQ(get(made->id, confirmed->position)->state, State::confirmed);
    EXPECT_EQ(stock(made->position)->sold, Quantity(0));
    EXPECT_EQ(stock(confirmed->position)->sold, Quantity(2));
}

TEST_P(Replica, ARepeatCarriesThePositionOfWhatItFound) {
    bench_.set_stock(10);
    const ReservationId id = bench_.reserve("k", 2)->id;
    const auto again = bench_.reserve("k", 2);
    EXPECT_EQ(get(id, again->position)->state, State::held);
    bench_.confirm(id);
    const auto confirmed_again = bench_.confirm(id);
    EXPECT_EQ(get(id, confirmed_again->position)->state, State::confirmed);
}

TEST_P(Replica, EveryWriteCarriesItsPosition) {
    const auto set = bench_.set_stock(10);
    EXPECT_EQ(stock(set->position)->on_hand, Quantity(10));
    const auto adjust = [&] {
        Adjustment more;
        more.owner = alice;
        more.key = IdempotencyKey("more");
        more.changes.push_back({sku_a, Quantity(5)});
        return finish(bench_.application.adjust(bench_.context(), std::move(more)));
    };
    const auto adjusted = adjust();
    EXPECT_EQ(stock(adjusted->front().position)->on_hand, Quantity(15));
    EXPECT_EQ(adjust()->front().position, adjusted->front().position);

    const ReservationId id = bench_.reserve("k", 2)->id;
    database_.catch_up();
    world_.run_for(std::chrono::minutes(5));
    const auto extended = finish(bench_.application.extend(bench_.context(), id, alice));
    EXPECT_LT(get(id, "")->expires_at, extended->expires_at);
    EXPECT_EQ(get(id, extended->position)->expires_at, extended->expires_at);
}

TEST_P(Replica, ReadsGoToThePrimaryUnlessTheyAreToldOtherwise) {
    Options usual;
    usual.strategy = GetParam();
    Bench primary(world_, database_, usual);
    primary.set_stock(10);
    const auto made = primary.reserve("k", 2);
    EXPECT_EQ(primary.get(made->id)->state, State::held);
    EXPECT_EQ(primary.audit(), "");
}

TEST_P(Replica, APositionThatNobodyGaveIsRefused) {
    for (const char* text : {"x", "12", "1:-1"}) {
        EXPECT_EQ(stock(text).error().code(), "malformed") << text;
    }
}

}  // namespace
}  // namespace rushproof::inventory
