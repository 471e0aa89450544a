// Goal: what a commit's answer promises is kept, whatever becomes of the answer, the session or the
// server.  Method: commits with every fate; crashes at every point of a transaction's life.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "simulator/models/database/tests/client.hpp"
#include "simulator/models/database/tests/gate.hpp"

namespace rushproof::simulator::example {

class CommitTest : public testing::Test {
protected:
    // Flushes wait at the gate once `slow_disk` is set.
    ModelOptions options() {
        ModelOptions result;
        result.elapsed = [this] { return time; };
        result.flush = [this]() -> Task<void> {
            if (slow_disk) { co_await flushes.wait(); }
        };
        result.sleep = [this](Duration duration) -> Task<void> {
            slept = duration;
            co_await sleeps.wait();
        };
        return result;
    }
    void let_pass(Gate& gate, std::size_t index = 0) {
        gate.let_pass(index);
        bench.settle();
    }
    std::string stock() { return bench.step('z', "read_all"); }

    Duration time{};
    Duration slept{};
    bool slow_disk = false;
    Gate flushes;
    Gate sleeps;
    Bench bench{options()};
};

TEST_F(CommitTest, applied_without_an_answer) {
    bench.client('a').fate = {CommitOutcome::applied_unanswered, {}};
    EXPECT_EQ(bench.step('a', "take A 1"), "error commit-unknown");
    EXPECT_EQ(stock(), "A 9, B 10, C 10");
    EXPECT_EQ(bench.step('a', "begin"), "error connection-lost");
    EXPECT_EQ(bench.step('a', "close"), "ok");
    EXPECT_EQ(bench.step('a', "begin"), "ok");
}

TEST_F(CommitTest, failed_without_an_answer) {
    bench.client('a').fate = {CommitOutcome::applied_unanswered, {}};
    EXPECT_EQ(bench.step('a', "put A 1"), "error commit-unknown");
    EXPECT_EQ(stock(), "A 10, B 10, C 10");
}

TEST_F(CommitTest, never_applied_frees_its_locks_at_once) {
    bench.client('a').fate = {CommitOutcome::never_applied, {}};
    EXPECT_EQ(bench.step('a', "begin"), "ok");
    EXPECT_EQ(bench.step('a', "take A 1"), "A 9");
    EXPECT_EQ(bench.step('b', "take A 1"), "waits");
    EXPECT_EQ(bench.step('a', "commit"), "error commit-unknown");
    EXPECT_EQ(bench.step('b', ""), "A 9");
    EXPECT_EQ(bench.step('a', "read A"), "error connection-lost");
}

TEST_F(CommitTest, applied_later_than_the_retry_that_waits_for_its_lock) {
    bench.client('a').fate = {CommitOutcome::applied_later, std::chrono::seconds(2)};
    EXPECT_EQ(bench.step('a', "begin"), "ok");
    EXPECT_EQ(bench.step('a', "take A 1"), "A 9");
    EXPECT_EQ(bench.step('a', "commit"), "error commit-unknown");
    EXPECT_EQ(slept, std::chrono::seconds(2));
    bench.client('a').drop_session();
    EXPECT_EQ(bench.step('b', "take A 1"), "waits");
    EXPECT_EQ(stock(), "A 10, B 10, C 10");
    let_pass(sleeps);
    EXPECT_EQ(bench.step('b', ""), "A 8");
    EXPECT_EQ(stock(), "A 8, B 10, C 10");
}

TEST_F(CommitTest, statements_fused_with_a_late_commit_run_late) {
    bench.client('a').fate = {CommitOutcome::applied_later, std::chrono::seconds(2)};
    EXPECT_EQ(bench.step('a', "take A 10"), "error commit-unknown");
    EXPECT_EQ(bench.step('b', "take A 4"), "A 6");
    let_pass(sleeps);
    EXPECT_EQ(stock(), "A 6, B 10, C 10");
}

TEST_F(CommitTest, late_commit_dies_with_the_server) {
    bench.client('a').fate = {CommitOutcome::applied_later, std::chrono::seconds(2)};
    EXPECT_EQ(bench.step('a', "take A 1"), "error commit-unknown");
    bench.database->crash();
    let_pass(sleeps);
    EXPECT_EQ(bench.step('b', "read_all"), "A 10, B 10, C 10");
}

TEST_F(CommitTest, commit_is_invisible_and_keeps_its_locks_until_it_is_flushed) {
    slow_disk = true;
    EXPECT_EQ(bench.step('a', "take A 1"), "waits");
    EXPECT_EQ(bench.database->unflushed(), 1U);
    EXPECT_EQ(stock(), "A 10, B 10, C 10");
    EXPECT_EQ(bench.step('b', "take A 1"), "waits");
    time = std::chrono::milliseconds(7);
    let_pass(flushes);
    EXPECT_EQ(bench.step('a', ""), "A 9");
    EXPECT_EQ(bench.database->unflushed(), 1U);  // that of b
    EXPECT_EQ(bench.database->committed_rows("stock")[0].committed_at, time);
    let_pass(flushes);
    EXPECT_EQ(bench.step('b', ""), "A 8");
}

TEST_F(CommitTest, client_that_goes_away_during_the_flush_stops_nothing) {
    slow_disk = true;
    EXPECT_EQ(bench.step('a', "take A 1"), "waits");
    bench.client('a').drop_session();
    let_pass(flushes);
    EXPECT_EQ(bench.step('a', ""), "error commit-unknown");
    EXPECT_EQ(stock(), "A 9, B 10, C 10");
}

TEST_F(CommitTest, flush_of_a_later_record_covers_the_earlier_ones) {
    slow_disk = true;
    EXPECT_EQ(bench.step('a', "take A 1"), "waits");
    EXPECT_EQ(bench.step('b', "take B 1"), "waits");
    let_pass(flushes, 1);
    EXPECT_EQ(bench.step('b', ""), "B 9");
    EXPECT_EQ(bench.step('a', ""), "waits");
    EXPECT_EQ(stock(), "A 10, B 9, C 10");
    EXPECT_EQ(bench.database->unflushed(), 0U);
    bench.database->crash();
    bench.step('z', "close");
    EXPECT_EQ(stock(), "A 9, B 9, C 10");
    let_pass(flushes);
    EXPECT_EQ(bench.step('a', ""), "error commit-unknown");
}

TEST_F(CommitTest, crash_during_flushes_keeps_as_many_as_the_disk_had) {
    for (std::size_t kept = 0; kept <= 3; ++kept) {
        bench.step('z', "close");
        bench.step('z', "add_all 0");
        slow_disk = true;
        const char names[] = {'a', 'b', 'c'};
        for (const char name : names) {
            bench.step(name, "close");
            EXPECT_EQ(bench.step(name, std::string("set ") + static_cast<char>(name - 32) + " " +
                                           std::to_string(kept)),
                      "waits");
        }
        time += std::chrono::seconds(1);
        bench.database->crash(kept);
        slow_disk = false;
        EXPECT_EQ(bench.database->unflushed(), 0U);
        const auto rows = bench.database->committed_rows("stock");
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(rows[i].committed_at == time, i < kept);
            if (i < kept) { EXPECT_EQ(integer(rows[i].row, 1), std::int64_t(kept)); }
        }
        while (flushes.waiting() > 0) { let_pass(flushes); }
        for (const char name : names) { EXPECT_EQ(bench.step(name, ""), "error commit-unknown"); }
    }
}

TEST_F(CommitTest, crash_at_each_point_loses_what_was_not_committed_and_nothing_else) {
    const std::vector<std::string> script = {
        "begin", "take A 1", "put D 4", "remove B", "append A 1", "commit", "read A",
    };
    for (std::size_t point = 0; point <= script.size(); ++point) {
        Bench crashed(options());
        Client& client = crashed.client('a');
        for (std::size_t i = 0; i < point; ++i) { crashed.step('a', script[i]); }
        crashed.database->crash();
        const bool committed = point >= 6;
        EXPECT_EQ(crashed.step('b', "read_all"), committed ? "A 9, C 10, D 4" : "A 10, B 10, C 10");
        EXPECT_EQ(crashed.step('b', "read_ledger"), committed ? "1 A 1" : "none");
        EXPECT_EQ(crashed.step('b', "lock_no_wait A"), committed ? "A 9" : "A 10");
        EXPECT_EQ(crashed.step('a', client.in_transaction() ? "read A" : "begin"),
                  "error connection-lost");
    }
}

TEST_F(CommitTest, crash_completes_the_calls_that_wait_for_a_lock) {
    EXPECT_EQ(bench.step('a', "begin"), "ok");
    EXPECT_EQ(bench.step('a', "take A 1"), "A 9");
    EXPECT_EQ(bench.step('b', "begin"), "ok");
    EXPECT_EQ(bench.step('b', "lock A"), "waits");
    EXPECT_EQ(bench.step('c', "take A 2"), "waits");
    bench.database->crash();
    EXPECT_EQ(bench.step('b', ""), "error connection-lost");
    EXPECT_EQ(bench.step('c', ""), "error commit-unknown");  // its commit was on the way
    EXPECT_EQ(bench.step('d', "take A 2"), "A 8");
}

TEST_F(CommitTest, recovery_repeats_itself) {
    bench.step('a', "take A 1");
    bench.step('a', "remove B");
    bench.step('a', "put B 3");
    bench.step('a', "remove C");
    bench.step('a', "reserve ann r1 A 2");
    bench.step('a', "move_reservation ann r1 B");
    for (int i = 0; i < 3; ++i) {
        bench.database->crash();
        bench.step('a', "close");
        EXPECT_EQ(bench.step('a', "read_all"), "A 9, B 3");
        EXPECT_EQ(bench.step('a', "reservations_of A"), "none");
        EXPECT_EQ(bench.step('a', "reservations_of B"), "ann r1 B 2");
        EXPECT_EQ(bench.step('a', "put A 1"), "error unique-violation");
    }
}

TEST_F(CommitTest, identity_numbers_skip_ahead_after_a_crash_and_never_repeat) {
    EXPECT_EQ(bench.step('a', "append A 1"), "1 A 1");
    EXPECT_EQ(bench.step('a', "append A 1"), "2 A 1");
    bench.database->crash();
    bench.step('a', "close");
    EXPECT_EQ(bench.step('a', "append A 1"), "34 A 1");
    EXPECT_EQ(bench.step('a', "append A 1"), "35 A 1");
}

TEST_F(CommitTest, answers_of_a_pipeline_come_in_order_and_stop_at_the_first_error) {
    ModelSession& session = bench.client('b').session();
    std::vector<Call> calls;
    for (const std::int64_t quantity : {1, 2}) {
        Row arguments;
        arguments.emplace_back("A");
        arguments.emplace_back(quantity);
        calls.emplace_back(take, std::move(arguments));
    }
    const Statement unheard_of{"unheard_of", "", {}};
    std::vector<Call> bad = calls;
    bad.emplace_back(unheard_of, Row{});
    const auto both = [&]() -> Task<void> {
        EXPECT_TRUE(session.begin());
        const auto good = co_await session.commit(calls);
        EXPECT_TRUE(good);
        EXPECT_EQ(good->size(), 2U);
        EXPECT_EQ(integer((*good)[0].rows[0], 1), 9);
        EXPECT_EQ((*good)[1].affected, 1);
        EXPECT_TRUE(session.begin());
        const auto failed = co_await session.execute(bad);
        EXPECT_EQ(failed.error().code(), "statement-failed");
        session.rollback();
    };
    asio::co_spawn(bench.context, both(), asio::detached);
    bench.settle();
    EXPECT_EQ(stock(), "A 7, B 10, C 10");
}

}  // namespace rushproof::simulator::example
