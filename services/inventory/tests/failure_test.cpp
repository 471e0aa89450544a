// Goal: whatever fails at whatever step, each use case has its effect once or not at all, and says
// which.  Method: run it once per step and kind of failure, then audit stock against ledger.
#include <gtest/gtest.h>

#include <functional>

#include "core/runtime/tests/failing_database.hpp"
#include "services/inventory/tests/bench.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;

constexpr Fault all_faults[] = {Fault::refused, Fault::broken, Fault::lost_answer,
                                Fault::never_applied, Fault::applied_later};

struct Failing {
    explicit Failing(Strategy strategy = Strategy::conditional)
        : bench(world, database, options(strategy)) {
        bench.set_stock(10);
    }
    static Options options(Strategy strategy) {
        Options options;
        options.strategy = strategy;
        return options;
    }

    FakeWorld world;
    ModelEngine model{world};
    FailingDatabase database{world, model.database()};
    Bench bench;
};

// Prepares, then runs `use_case` once for each step and fault until it has no such step; `check`
// sees the answer.
void fail_each_step(Strategy strategy, const std::function<void(Failing&)>& prepare,
                    const std::function<std::optional<Error>(Failing&)>& use_case,
                    const std::function<void(Failing&, const std::optional<Error>&)>& check) {
    int steps = 0;
    for (const Fault fault : all_faults) {
        for (int step = 1;; ++step) {
            SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at step " +
                         std::to_string(step));
            Failing failing(strategy);
            prepare(failing);
            failing.database.fail_step(step, fault);
            const std::optional<Error> error = use_case(failing);
            if (!failing.database.failed()) { break; }
            failing.database.fail_step(INT32_MAX, fault);
            ++steps;
            EXPECT_EQ(error.has_value(), fault == Fault::broken);
            if (error) { EXPECT_EQ(error->kind(), ErrorKind::permanent); }
            check(failing, error);
            EXPECT_EQ(failing.bench.audit(), "");
        }
    }
    EXPECT_GE(steps, 2 * static_cast<int>(std::size(all_faults)));
}

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
    if (result) { return std::nullopt; }
    return result.error();
}

void nothing(Failing&) {}

class FailedReserve : public testing::TestWithParam<Strategy> {};
INSTANTIATE_TEST_SUITE_P(All, FailedReserve, testing::ValuesIn(all_strategies()));

TEST_P(FailedReserve, HoldsOnceOrNotAtAll) {
    fail_each_step(
        GetParam(), nothing,
        [](Failing& failing) { return error_of(failing.bench.reserve("k", 2)); },
        [](Failing& failing, const std::optional<Error>& error) {
            EXPECT_EQ(failing.bench.stock()->held, Quantity(error ? 0 : 2));
            EXPECT_TRUE(failing.bench.reserve("k", 2));
            EXPECT_EQ(failing.bench.stock()->held, Quantity(2));
        });
}

TEST_P(FailedReserve, ThatExpiresHoldsOnceOrNotAtAll) {
    fail_each_step(
        GetParam(),
        [](Failing& failing) {
            failing.bench.reserve("old", 10);
            failing.world.run_for(minutes(11));
        },
        [](Failing& failing) { return error_of(failing.bench.reserve("k", 2)); },
        [](Failing& failing, const std::optional<Error>& error) {
            EXPECT_EQ(failing.bench.stock()->held, Quantity(error ? 10 : 2));
        });
}

TEST_P(FailedReserve, ARepeatIsAnsweredAlike) {
    fail_each_step(
        GetParam(), [](Failing& failing) { failing.bench.reserve("k", 2); },
        [](Failing& failing) { return error_of(failing.bench.reserve("k", 2)); },
        [](Failing& failing, const std::optional<Error>&) {
            EXPECT_EQ(failing.bench.stock()->held, Quantity(2));
        });
}

// A reserve under one key, before the use case under test.
ReservationId held_reservation(Failing& failing) { return failing.bench.reserve("k", 2)->id; }

TEST(FailedConfirm, SellsOnceOrNotAtAll) {
    ReservationId id;
    fail_each_step(
        Strategy::conditional, [&](Failing& failing) { id = held_reservation(failing); },
        [&](Failing& failing) { return error_of(failing.bench.confirm(id)); },
        [&](Failing& failing, const std::optional<Error>& error) {
            EXPECT_EQ(failing.bench.stock()->sold, Quantity(error ? 0 : 2));
            EXPECT_TRUE(failing.bench.confirm(id));
        });
}

TEST(FailedRelease, GivesBackOnceOrNotAtAll) {
    ReservationId id;
    fail_each_step(
        Strategy::conditional, [&](Failing& failing) { id = held_reservation(failing); },
        [&](Failing& failing) { return error_of(failing.bench.release(id)); },
        [&](Failing& failing, const std::optional<Error>& error) {
            EXPECT_EQ(failing.bench.stock()->held, Quantity(error ? 2 : 0));
            EXPECT_TRUE(failing.bench.release(id));
        });
}

TEST(FailedSetStock, SetsOnceOrNotAtAll) {
    fail_each_step(
        Strategy::conditional, nothing,
        [](Failing& failing) { return error_of(failing.bench.set_stock(15)); },
        [](Failing& failing, const std::optional<Error>& error) {
            EXPECT_EQ(failing.bench.stock()->on_hand, Quantity(error ? 10 : 15));
            EXPECT_EQ(failing.bench.ledger().size(), error ? 1u : 2u);
        });
}

// A sweep does not retry by itself: the next one does.
TEST(FailedSweep, ExpiresOnceInTheEnd) {
    for (const Fault fault : all_faults) {
        for (int step = 1; step <= 3; ++step) {
            Failing failing;
            failing.bench.reserve("k", 2);
            failing.world.run_for(minutes(11));
            failing.database.fail_step(step, fault);
            EXPECT_FALSE(failing.bench.expire());
            EXPECT_TRUE(failing.bench.expire());
            EXPECT_EQ(failing.bench.stock()->held, Quantity(0));
            EXPECT_EQ(failing.bench.audit(), "");
        }
    }
}

TEST(Unreachable, IsRetryableWhenNothingWasSentAndUnknownOnceACommitWas) {
    Failing failing;
    failing.database.fail_step(1, Fault::refused, true);
    EXPECT_EQ(failing.bench.reserve("k", 2).error().kind(), ErrorKind::retryable);

    // begin and execute work, then the commit's answer is lost, and from then on nothing works.
    failing.database.fail_step(3, Fault::lost_answer, true);
    EXPECT_EQ(failing.bench.reserve("k", 2).error().kind(), ErrorKind::unknown_outcome);

    failing.database.fail_step(INT32_MAX, Fault::refused);
    EXPECT_TRUE(failing.bench.reserve("k", 2));
    EXPECT_EQ(failing.bench.stock()->held, Quantity(2));
    EXPECT_EQ(failing.bench.audit(), "");
}

TEST(Deadlines, EndTheRetries) {
    Failing failing;
    failing.database.fail_step(1, Fault::refused, true);
    const MonotonicTime start = failing.world.monotonic();
    ReserveRequest request{alice, IdempotencyKey("k"), {Line{sku_a, Quantity(1)}}};
    auto reserve = failing.bench.application.reserve(
        failing.bench.context(std::chrono::milliseconds(20)), std::move(request));
    EXPECT_FALSE(*failing.world.finish(std::move(reserve)));
    EXPECT_LT(failing.world.monotonic() - start, std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace rushproof::inventory
