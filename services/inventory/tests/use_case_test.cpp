// Goal: every use case keeps its contract, with every strategy, on the model database and on our
// SQL alike.  Method: sequences of calls on a fake clock, then an audit of stock against ledger.
#include <gtest/gtest.h>

#include "services/inventory/tests/engines.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;

class UseCases : public OnEveryEngine {};
INSTANTIATE_TEST_SUITE_P(All, UseCases, every_engine_and_strategy(), &name_of);

TEST_P(UseCases, StockIsSetAbsolutely) {
    EXPECT_EQ(bench_.stock().error().code(), "not-found");
    EXPECT_EQ(bench_.set_stock(10)->on_hand, Quantity(10));
    EXPECT_EQ(bench_.set_stock(10)->version, 1);
    EXPECT_EQ(bench_.set_stock(4)->on_hand, Quantity(4));
    const auto ledger = bench_.ledger();
    ASSERT_EQ(ledger.size(), 2u);
    EXPECT_EQ(ledger[0].quantity, Quantity(10));
    EXPECT_EQ(ledger[1].quantity, Quantity(-6));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, StockOfNothingIsKnownAllTheSame) {
    EXPECT_TRUE(bench_.set_stock(0));
    EXPECT_EQ(bench_.stock()->on_hand, Quantity(0));
    EXPECT_EQ(bench_.reserve("k", 1).error().code(), "insufficient-stock");
    EXPECT_TRUE(bench_.ledger().empty());
}

TEST_P(UseCases, StockCannotGoBelowWhatIsHeld) {
    bench_.set_stock(10);
    bench_.reserve("k", 6);
    EXPECT_EQ(bench_.set_stock(5).error().code(), "conflict");
    EXPECT_TRUE(bench_.set_stock(6));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ReserveHoldsUntilNothingIsLeft) {
    bench_.set_stock(3);
    const auto first = bench_.reserve("k1", 2);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->state, State::held);
    EXPECT_EQ(first->lines, (std::vector{Line{sku_a, Quantity(2)}}));
    EXPECT_EQ(first->owner, alice);
    EXPECT_EQ(first->expires_at, world_.wall() + minutes(10));
    EXPECT_EQ(first->time_left, minutes(10));
    EXPECT_EQ(bench_.reserve("k2", 2).error().code(), "insufficient-stock");
    EXPECT_TRUE(bench_.reserve("k3", 1));
    EXPECT_EQ(bench_.reserve("k4", 1).error().code(), "insufficient-stock");
    EXPECT_EQ(bench_.stock()->available(), Quantity(0));
    EXPECT_EQ(bench_.reserve("k5", 1, Sku("other")).error().code(), "not-found");
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ARepeatGetsTheFirstAnswer) {
    bench_.set_stock(5);
    const auto first = bench_.reserve("k", 2);
    ASSERT_TRUE(first);
    world_.run_for(minutes(1));
    ASSERT_TRUE(bench_.confirm(first->id));
    const auto again = bench_.reserve("k", 2);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, first->id);
    EXPECT_EQ(again->state, State::held);
    EXPECT_EQ(again->expires_at, first->expires_at);
    EXPECT_EQ(again->time_left, first->time_left);
    EXPECT_EQ(bench_.reserve("k", 1).error().code(), "key-reused");
    EXPECT_EQ(bench_.reserve("k", 2, Sku("other")).error().code(), "key-reused");
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ARefusalIsNotRemembered) {
    bench_.set_stock(1);
    EXPECT_EQ(bench_.reserve("k", 2).error().code(), "insufficient-stock");
    bench_.set_stock(2);
    EXPECT_TRUE(bench_.reserve("k", 2));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ConfirmSellsOnce) {
    bench_.set_stock(5);
    const auto reservation = bench_.reserve("k", 2);
    for (int i = 0; i < 2; ++i) {
        const auto confirmed = bench_.confirm(reservation->id);
        ASSERT_TRUE(confirmed);
        EXPECT_EQ(confirmed->state, State::confirmed);
        EXPECT_EQ(confirmed->time_left, minutes(0));
    }
    const Stock stock = *bench_.stock();
    EXPECT_EQ(stock.on_hand, Quantity(3));
    EXPECT_EQ(stock.held, Quantity(0));
    EXPECT_EQ(stock.sold, Quantity(2));
    EXPECT_EQ(bench_.release(reservation->id).error().code(), "not-held");
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ReleaseGivesBackOnce) {
    bench_.set_stock(5);
    const auto reservation = bench_.reserve("k", 2);
    for (int i = 0; i < 2; ++i) {
        const auto released = bench_.release(reservation->id);
        ASSERT_TRUE(released);
        EXPECT_EQ(released->state, State::released);
    }
    EXPECT_EQ(bench_.stock()->available(), Quantity(5));
    EXPECT_EQ(bench_.confirm(reservation->id).error().code(), "not-held");
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, OthersReservationsAreNotFound) {
    bench_.set_stock(5);
    const ReservationId id = bench_.reserve("k", 2)->id;
    const Owner bob("bob");
    EXPECT_EQ(bench_.get(id, bob).error().code(), "not-found");
    EXPECT_EQ(bench_.confirm(id, bob).error().code(), "not-found");
    EXPECT_EQ(bench_.release(id, bob).error().code(), "not-found");
    EXPECT_EQ(bench_.get(ReservationId("none")).error().code(), "not-found");
    EXPECT_EQ(bench_.get(id)->state, State::held);
}

TEST_P(UseCases, TimeRunsOutExactlyAtItsEnd) {
    bench_.set_stock(5);
    const auto reservation = bench_.reserve("k", 2);
    world_.run_for(minutes(10) - std::chrono::microseconds(1));
    EXPECT_EQ(bench_.get(reservation->id)->time_left, std::chrono::microseconds(1));
    EXPECT_EQ(bench_.expire(), 0u);
    world_.run_for(std::chrono::microseconds(1));
    EXPECT_EQ(bench_.get(reservation->id)->time_left, minutes(0));
    EXPECT_EQ(bench_.confirm(reservation->id).error().code(), "not-held");
    EXPECT_EQ(bench_.expire(), 1u);
    EXPECT_EQ(bench_.expire(), 0u);
    EXPECT_EQ(bench_.get(reservation->id)->state, State::expired);
    EXPECT_EQ(bench_.confirm(reservation->id).error().code(), "not-held");
    EXPECT_EQ(bench_.release(reservation->id).error().code(), "not-held");
    EXPECT_EQ(bench_.stock()->available(), Quantity(5));
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ALateReleaseIsWelcome) {
    bench_.set_stock(5);
    const auto reservation = bench_.reserve("k", 2);
    world_.run_for(minutes(11));
    EXPECT_EQ(bench_.release(reservation->id)->state, State::released);
    EXPECT_EQ(bench_.expire(), 0u);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, AReserveExpiresWhatIsDueBeforeItRefuses) {
    bench_.set_stock(3);
    bench_.reserve("k1", 1);
    bench_.reserve("k2", 2);
    world_.run_for(minutes(11));
    EXPECT_EQ(bench_.reserve("too many", 4).error().code(), "insufficient-stock");
    EXPECT_EQ(bench_.stock()->held, Quantity(3));
    EXPECT_TRUE(bench_.reserve("k3", 3));
    EXPECT_EQ(bench_.stock()->held, Quantity(3));
    EXPECT_EQ(bench_.ledger().size(), 6u);
    EXPECT_EQ(bench_.audit(), "");
}

TEST_P(UseCases, ASweepExpiresManySkusInBatches) {
    constexpr int skus = 3;
    constexpr int reservations = limits::expire_batch + 20;
    for (int i = 0; i < skus; ++i) { bench_.set_stock(1000, Sku("S" + std::to_string(i))); }
    for (int i = 0; i < reservations; ++i) {
        ASSERT_TRUE(
            bench_.reserve("k" + std::to_string(i), 1, Sku("S" + std::to_string(i % skus))));
    }
    world_.run_for(minutes(11));
    EXPECT_EQ(bench_.expire(), static_cast<std::size_t>(limits::expire_batch));
    EXPECT_EQ(bench_.expire(), 20u);
    for (int i = 0; i < skus; ++i) {
        const Sku sku("S" + std::to_string(i));
        EXPECT_EQ(bench_.stock(sku)->held, Quantity(0));
        EXPECT_EQ(bench_.audit(sku), "");
    }
}

TEST_P(UseCases, TheLedgerComesInPages) {
    bench_.set_stock(100);
    for (int i = 0; i < 9; ++i) { bench_.reserve("k" + std::to_string(i), 1); }
    const auto page = [&](std::int64_t after) {
        const LedgerPage wanted{sku_a, after, 4};
        return *world_.finish(bench_.application.get_ledger(bench_.context(), wanted));
    };
    std::size_t entries = 0;
    std::int64_t after = 0;
    for (auto found = page(0); !found->empty(); found = page(after)) {
        for (const LedgerEntry& entry : *found) {
            EXPECT_GT(entry.number, after);
            after = entry.number;
            ++entries;
        }
    }
    EXPECT_EQ(entries, 10u);
    const LedgerEntry last = bench_.ledger().back();
    EXPECT_EQ(last.key, IdempotencyKey("k8"));
    EXPECT_EQ(last.kind, "reserve");
    EXPECT_EQ(last.at, world_.wall());
}

TEST_P(UseCases, KeysAreForgottenAfterTheirRetention) {
    bench_.set_stock(5);
    bench_.reserve("k", 1);
    const auto forget = [&] {
        return *world_.finish(bench_.application.forget_keys(bench_.context()));
    };
    world_.run_for(limits::idempotency_retention);
    EXPECT_EQ(forget(), 0u);
    world_.run_for(std::chrono::seconds(1));
    EXPECT_EQ(forget(), 1u);
}

}  // namespace
}  // namespace rushproof::inventory
