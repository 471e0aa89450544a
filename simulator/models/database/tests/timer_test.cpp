// Goal: waits end when their time is over, and the first who looks for a deadlock fails.
// Method: clients stepped by hand; timers fire when the test lets virtual time pass.
#include <gtest/gtest.h>

#include <map>

#include "simulator/models/database/tests/client.hpp"

namespace rushproof::simulator::example {

using namespace std::chrono_literals;

class TimerTest : public testing::Test {
protected:
    ModelOptions options() {
        ModelOptions result;
        result.elapsed = [this] { return now; };
        result.after = [this](Duration after, std::function<void()> call) {
            timers.emplace(now + after, std::move(call));
        };
        result.connections_max = 4;
        return result;
    }
    void pass(Duration time) {
        const Duration until = now + time;
        while (!timers.empty() && timers.begin()->first <= until) {
            now = timers.begin()->first;
            const auto call = std::move(timers.begin()->second);
            timers.erase(timers.begin());
            call();
            bench->settle();
        }
        now = until;
    }
    std::string step(char client, std::string command) {
        return bench->step(client, std::move(command));
    }

    Duration now{};
    std::multimap<Duration, std::function<void()>> timers;
    std::unique_ptr<Bench> bench = std::make_unique<Bench>(options());
};

TEST_F(TimerTest, deadlock_is_found_by_whose_second_is_over_first) {
    EXPECT_EQ(step('a', "begin"), "ok");
    EXPECT_EQ(step('b', "begin"), "ok");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    EXPECT_EQ(step('b', "lock B"), "B 10");
    EXPECT_EQ(step('a', "lock B"), "waits");
    pass(400ms);
    EXPECT_EQ(step('b', "lock A"), "waits");
    pass(599ms);
    EXPECT_EQ(step('a', ""), "waits");
    pass(1ms);
    EXPECT_EQ(step('a', ""), "error deadlock");
    EXPECT_EQ(step('b', ""), "A 10");
    EXPECT_EQ(now, 1s);
}

TEST_F(TimerTest, wait_that_was_looked_at_before_the_cycle_closed_is_not_looked_at_again) {
    EXPECT_EQ(step('a', "begin"), "ok");
    EXPECT_EQ(step('b', "begin"), "ok");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    EXPECT_EQ(step('b', "lock B"), "B 10");
    EXPECT_EQ(step('a', "lock B"), "waits");
    pass(1500ms);
    EXPECT_EQ(step('b', "lock A"), "waits");
    pass(999ms);
    EXPECT_EQ(step('b', ""), "waits");
    pass(1ms);
    EXPECT_EQ(step('b', ""), "error deadlock");
    EXPECT_EQ(step('a', ""), "B 10");
}

TEST_F(TimerTest, timeouts_are_exact_and_the_earlier_one_wins) {
    EXPECT_EQ(step('a', "begin"), "ok");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    for (const bool lock_first : {true, false}) {
        EXPECT_EQ(step('b', "begin"), "ok");
        EXPECT_EQ(step('b', lock_first ? "lock_timeout 30" : "lock_timeout 50"), "1");
        EXPECT_EQ(step('b', lock_first ? "statement_timeout 50" : "statement_timeout 30"), "1");
        EXPECT_EQ(step('b', "lock A"), "waits");
        pass(29ms);
        EXPECT_EQ(step('b', ""), "waits");
        pass(1ms);
        EXPECT_EQ(step('b', ""), lock_first ? "error lock-timeout" : "error query-canceled");
        EXPECT_EQ(step('b', "rollback"), "ok");
    }
}

TEST_F(TimerTest, timers_that_outlive_the_server_find_nothing) {
    EXPECT_EQ(step('a', "begin"), "ok");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    EXPECT_EQ(step('b', "lock A"), "waits");
    bench->database->crash();
    pass(2s);
    EXPECT_EQ(step('b', ""), "error commit-unknown");
    bench.reset();
    while (!timers.empty()) {
        timers.begin()->second();
        timers.erase(timers.begin());
    }
}

TEST_F(TimerTest, connection_beyond_the_last_is_refused) {
    for (const char client : {'a', 'b', 'c'}) { EXPECT_EQ(step(client, "begin"), "ok"); }
    EXPECT_EQ(step('d', "begin"), "error unavailable");  // the first of all is z
    bench->client('a').drop_session();
    EXPECT_EQ(step('d', "close"), "ok");
    EXPECT_EQ(step('d', "begin"), "ok");
}

TEST_F(TimerTest, full_disk_refuses_what_needs_room) {
    bench->database->set_disk_full(true);
    EXPECT_EQ(step('a', "put D 1"), "error disk-full");
    EXPECT_EQ(step('a', "take A 1"), "error disk-full");
    EXPECT_EQ(step('a', "read A"), "A 10");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    bench->database->set_disk_full(false);
    EXPECT_EQ(step('a', "take A 1"), "A 9");
}

class AsynchronousCommitTest : public TimerTest {
protected:
    AsynchronousCommitTest() {
        ModelOptions asynchronous = options();
        asynchronous.synchronous_commit = false;
        bench = std::make_unique<Bench>(std::move(asynchronous));
        pass(1s);
    }
};

TEST_F(AsynchronousCommitTest, crash_loses_a_tail_of_acknowledged_commits_and_no_more) {
    for (std::size_t kept = 0; kept <= 3; ++kept) {
        EXPECT_EQ(step('a', "set A 0"), "A 0");
        pass(1s);
        EXPECT_EQ(bench->database->unflushed(), 0U);
        for (const char* command : {"set A 1", "set A 2", "set A 3"}) { step('a', command); }
        EXPECT_EQ(step('b', "read A"), "A 3");
        EXPECT_EQ(bench->database->crash(kept), 3 - kept);
        step('a', "close");
        step('b', "close");
        EXPECT_EQ(step('b', "read A"), "A " + std::to_string(kept));
        pass(1s);  // a flush of before the crash says nothing about what came after it
    }
}

TEST_F(AsynchronousCommitTest, what_was_flushed_meanwhile_stays) {
    step('a', "set A 1");
    pass(100ms);
    step('a', "set A 2");
    pass(100ms);
    EXPECT_EQ(bench->database->unflushed(), 1U);
    EXPECT_EQ(bench->database->crash(), 1U);
    step('b', "close");
    EXPECT_EQ(step('b', "read A"), "A 1");
}

TEST_F(TimerTest, timeout_of_the_server_holds_for_transactions_that_begin_later) {
    EXPECT_EQ(step('a', "begin"), "ok");
    EXPECT_EQ(step('a', "lock A"), "A 10");
    EXPECT_EQ(step('b', "begin"), "ok");
    bench->database->set_lock_timeout(20ms);
    EXPECT_EQ(step('b', "lock A"), "waits");
    EXPECT_EQ(step('c', "lock A"), "waits");
    pass(30ms);
    EXPECT_EQ(step('b', ""), "waits");
    EXPECT_EQ(step('c', ""), "error lock-timeout");
    bench->database->set_lock_timeout(std::nullopt);
    EXPECT_EQ(step('c', "lock A"), "waits");
    pass(5s);
    EXPECT_EQ(step('c', ""), "waits");
    EXPECT_EQ(bench->database->metrics().lock_timeouts, 1U);
}

}  // namespace rushproof::simulator::example
