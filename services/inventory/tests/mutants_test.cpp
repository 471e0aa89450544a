// Goal: each planted bug is really there.  Method: the shortest run that shows it, on the build
// with mutants; the same runs are clean in use_case_test, failure_test and concurrency_test.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/runtime/tests/failing_database.hpp"
#include "services/inventory/tests/bench.hpp"
#include "services/inventory/tests/replicated_database.hpp"

namespace rushproof::inventory {
namespace {

using std::chrono::minutes;

Options with(Mutant mutant) {
    Options options;
    options.mutant = mutant;
    options.strategy = Strategy::pessimistic;
    return options;
}

struct Mutated {
    explicit Mutated(Mutant mutant) : bench(world, database, with(mutant)) { bench.set_stock(10); }

    FakeWorld world;
    ModelEngine model{world};
    FailingDatabase database{world, model.database()};
    Bench bench;
};

TEST(Mutants, M01OversellsWithoutAnyFault) {
    Mutated mutated(Mutant::m01_read_modify_write);
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 3; ++i) {
        mutated.bench.start_reserve("k" + std::to_string(i), 6, answers);
    }
    mutated.world.run();
    EXPECT_TRUE(mutated.bench.audit().starts_with("oversold")) << mutated.bench.audit();
}

TEST(Mutants, M02OversellsWithoutAnyFault) {
    Mutated mutated(Mutant::m02_check_in_own_transaction);
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 3; ++i) {
        mutated.bench.start_reserve("k" + std::to_string(i), 6, answers);
    }
    mutated.world.run();
    EXPECT_TRUE(mutated.bench.audit().starts_with("oversold")) << mutated.bench.audit();
}

TEST(Mutants, M03AcknowledgesWhatWasNotCommitted) {
    Mutated mutated(Mutant::m03_conflict_as_success);
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 3; ++i) {
        mutated.bench.start_reserve("k" + std::to_string(i), 1, answers);
    }
    mutated.world.run();
    std::size_t lost = 0;
    for (const auto& answer : answers) {
        if (answer && !mutated.bench.get(answer->id)) { ++lost; }
    }
    EXPECT_GT(lost, 0u);
}

TEST(Mutants, M04OversellsBySnapshots) {
    Mutated mutated(Mutant::m04_write_skew);
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 3; ++i) {
        mutated.bench.start_reserve("k" + std::to_string(i), 6, answers);
    }
    mutated.world.run();
    EXPECT_TRUE(mutated.bench.audit().starts_with("oversold")) << mutated.bench.audit();
}

TEST(Mutants, M05KeepsHalfOfABasketAfterADeadlock) {
    Mutated mutated(Mutant::m05_retry_keeps_half);
    const Sku sku_b("SKU-B");
    mutated.bench.set_stock(10, sku_b);
    mutated.database.distance = std::chrono::milliseconds(1);
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 4; ++i) {
        mutated.bench.start_basket("k" + std::to_string(i),
                                   {{sku_a, Quantity(1)}, {sku_b, Quantity(1)}}, answers);
    }
    mutated.world.run();
    EXPECT_EQ(answers.size(), 4u);
    EXPECT_TRUE(std::all_of(answers.begin(), answers.end(),
                            [](const auto& answer) { return answer.has_value(); }));
    EXPECT_NE(mutated.bench.audit() + mutated.bench.audit(sku_b), "");
}

TEST(Mutants, M06DoublesAfterAnUnknownCommit) {
    Mutated mutated(Mutant::m06_retry_without_key);
    mutated.database.fail_step(3, Fault::lost_answer);
    EXPECT_TRUE(mutated.bench.reserve("k", 2));
    EXPECT_EQ(mutated.bench.audit(), "two reservations for key k");
}

TEST(Mutants, M07DoublesWhenTheKeyIsNotWrittenAnyMore) {
    Mutated mutated(Mutant::m07_key_in_own_transaction);
    EXPECT_TRUE(mutated.bench.reserve("k", 2));
    EXPECT_TRUE(mutated.bench.reserve("k", 2));
    EXPECT_EQ(mutated.bench.audit(), "");
    mutated.database.fail_step(4, Fault::refused);
    EXPECT_TRUE(mutated.bench.reserve("l", 2));
    EXPECT_EQ(mutated.bench.audit(), "two reservations for key l");
}

TEST(Mutants, M08DoublesConcurrentRepeats) {
    Mutated mutated(Mutant::m08_key_without_constraint);
    EXPECT_TRUE(mutated.bench.reserve("k", 2));
    EXPECT_TRUE(mutated.bench.reserve("k", 2));
    EXPECT_EQ(mutated.bench.audit(), "");
    std::vector<Result<Reservation>> answers;
    for (int i = 0; i < 2; ++i) { mutated.bench.start_reserve("l", 2, answers); }
    mutated.world.run();
    EXPECT_EQ(mutated.bench.audit(), "two reservations for key l");
}

TEST(Mutants, M09AnswersAnotherRequestAsTheFirst) {
    Mutated mutated(Mutant::m09_other_body_same_answer);
    const auto first = mutated.bench.reserve("k", 2);
    EXPECT_EQ(mutated.bench.reserve("k", 3)->id, first->id);
}

TEST(Mutants, M27TwoSweepsGiveBackTwice) {
    Mutated mutated(Mutant::m27_two_sweepers);
    mutated.bench.reserve("k", 2);
    mutated.world.run_for(minutes(11));
    for (int i = 0; i < 2; ++i) {
        asio::co_spawn(mutated.world.executor("sweep"),
                       mutated.bench.application.expire_due(mutated.bench.context()),
                       [](const std::exception_ptr&, Result<std::size_t>) {});
    }
    mutated.world.run();
    EXPECT_EQ(mutated.bench.audit(), "expire after 'expire'");
}

TEST(Mutants, M25ExpiresWhatWasConfirmed) {
    Mutated mutated(Mutant::m25_expire_any_state);
    const auto reservation = mutated.bench.reserve("k", 2);
    EXPECT_TRUE(mutated.bench.confirm(reservation->id));
    mutated.world.run_for(minutes(11));
    EXPECT_EQ(mutated.bench.expire(), 1u);
    EXPECT_EQ(mutated.bench.expire(), 0u);
    EXPECT_EQ(mutated.bench.audit(), "expire after 'confirm'");
}

TEST(Mutants, M26ExpiresTooEarlyWhenItsClockIsFast) {
    Mutated mutated(Mutant::m26_expire_by_own_clock);
    const auto reservation = mutated.bench.reserve("k", 2);
    EXPECT_EQ(mutated.bench.expire(), 0u);
    mutated.world.wall_offset += minutes(11);
    EXPECT_EQ(mutated.bench.expire(), 1u);
    EXPECT_EQ(mutated.bench.confirm(reservation->id).error().code(), "not-held");
}

std::vector<Reservation> eight_reservations(Mutant mutant) {
    Mutated mutated(mutant);
    std::vector<Reservation> made;
    made.reserve(8);
    for (int i = 0; i < 8; ++i) { made.push_back(*mutated.bench.reserve(std::to_string(i), 1)); }
    return made;
}

bool same_times(const std::vector<Reservation>& a, const std::vector<Reservation>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), [](const auto& left, const auto& right) {
        return left.expires_at == right.expires_at;
    });
}

TEST(Plants, DisturbWhatTheyMayNot) {
    const auto plain = eight_reservations(Mutant::none);
    EXPECT_TRUE(same_times(plain, eight_reservations(Mutant::none)));
    EXPECT_FALSE(same_times(plain, eight_reservations(Mutant::p01_real_clock)));
    EXPECT_FALSE(same_times(plain, eight_reservations(Mutant::p03_uninitialised_read)));

    const auto shuffled = eight_reservations(Mutant::p02_salted_hash_order);
    bool other_order = false;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::string& before = plain[i].id.text();
        const std::string& after = shuffled[i].id.text();
        EXPECT_TRUE(std::is_permutation(before.begin(), before.end(), after.begin(), after.end()));
        other_order = other_order || before != after;
    }
    EXPECT_TRUE(other_order);
}

TEST(Mutants, M28OversellsByAReplicaThatLags) {
    for (const Mutant mutant : {Mutant::none, Mutant::m28_decides_by_replica}) {
        FakeWorld world;
        ReplicatedDatabase database(world);
        Bench bench(world, database, with(mutant));
        bench.set_stock(10);
        database.catch_up();
        EXPECT_TRUE(bench.reserve("k1", 6));
        const bool oversells = mutant == Mutant::m28_decides_by_replica;
        EXPECT_EQ(bench.reserve("k2", 6).has_value(), oversells);
        EXPECT_EQ(bench.audit().starts_with("oversold"), oversells) << bench.audit();
    }
}

}  // namespace
}  // namespace rushproof::inventory
