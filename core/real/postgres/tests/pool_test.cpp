// Goal: no more connections than allowed, a bounded line in front of them, and none leaked whatever
// becomes of those who wait.
// Method: one or two connections, held by the test; the gauges.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/real/postgres/tests/fixture.hpp"

namespace rushproof::postgres {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

using Begun = Result<std::unique_ptr<Transaction>>;

class PoolTest : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        options_.connections_max = 1;
        options_.waiting_max = 2;
        reopen();
    }
    // Goes on until `done`, and then as far as it gets.
    template <class Condition>
    void run_until(Condition done) {
        context_.restart();
        while (!done()) { context_.run_one(); }
        while (context_.poll() > 0) {}
    }
    void start(Duration left, std::vector<Begun>& answers,
               asio::cancellation_slot slot = asio::cancellation_slot()) {
        asio::co_spawn(
            context_, database_->begin(context_for(left), {}),
            asio::bind_cancellation_slot(slot, [&answers](std::exception_ptr thrown, Begun begun) {
                if (thrown) {
                    answers.push_back(failure(ErrorKind::retryable, "cancelled", ""));
                } else {
                    answers.push_back(std::move(begun));
                }
            }));
        context_.restart();
        context_.poll();
    }
    double gauge(const std::string& name) { return telemetry_.levels[name + " primary 0"].now; }
};

TEST_F(PoolTest, TheLineIsServedInOrder) {
    auto held = begin();
    std::vector<Begun> answers;
    start(30s, answers);
    start(30s, answers);
    EXPECT_EQ(gauge("database_transactions_waiting"), 2);
    held.reset();
    run_until([&] { return answers.size() == 1; });
    ASSERT_TRUE(answers[0]);
    EXPECT_EQ(answers.size(), 1U);
    EXPECT_EQ(gauge("database_connections_in_use"), 1);
    answers[0]->reset();
    run_until([&] { return answers.size() == 2; });
    ASSERT_TRUE(answers[1]);
    answers.clear();
    EXPECT_EQ(gauge("database_connections_in_use"), 0);
    EXPECT_EQ(gauge("database_connections_open"), 1);
    EXPECT_EQ(telemetry_.distributions["database_pool_wait_seconds primary"].count, 2U);
}

TEST_F(PoolTest, AFullLineRefuses) {
    auto held = begin();
    std::vector<Begun> answers;
    start(30s, answers);
    start(30s, answers);
    const Begun refused = wait(database_->begin(context_for(30s), {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "pool-exhausted");
    EXPECT_EQ(refused.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(telemetry_.counts["database_pool_exhausted_total primary"].total, 1U);
    database_.reset();  // answers those in line
    run_until([&] { return answers.size() == 2; });
    EXPECT_EQ(answers[0].error().code(), "unavailable");
    EXPECT_EQ(answers[1].error().code(), "unavailable");
}

TEST_F(PoolTest, WaitingEndsAtTheDeadline) {
    const auto held = begin();
    const Begun late = wait(database_->begin(context_for(50ms), {}));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), "deadline-exceeded");
    EXPECT_EQ(gauge("database_transactions_waiting"), 0);
    const Begun too_late = wait(database_->begin(context_for(-1s), {}));
    ASSERT_FALSE(too_late);
    EXPECT_EQ(too_late.error().code(), "deadline-exceeded");
}

TEST_F(PoolTest, WhoeverIsCancelledLeavesTheLine) {
    auto held = begin();
    std::vector<Begun> answers;
    asio::cancellation_signal cancel;
    start(30s, answers, cancel.slot());
    start(30s, answers);
    cancel.emit(asio::cancellation_type::terminal);
    run_until([&] { return answers.size() == 1; });
    EXPECT_FALSE(answers[0]);
    held.reset();
    run_until([&] { return answers.size() == 2; });
    EXPECT_TRUE(answers[1]);
}

TEST_F(PoolTest, WhoeverIsCancelledInACallGivesTheConnectionBack) {
    options_.connections_max = 2;
    reopen();
    const auto holder = begin();
    ASSERT_TRUE(execute(*holder, calls(lock_call("a"))));
    auto blocked = begin();
    asio::cancellation_signal cancel;
    bool over = false;
    auto list = calls(lock_call("a"));
    asio::co_spawn(
        context_, blocked->execute(std::move(list)),
        asio::bind_cancellation_slot(
            cancel.slot(), [&](const std::exception_ptr&, const Answer&) { over = true; }));
    context_.restart();
    context_.poll();
    cancel.emit(asio::cancellation_type::terminal);
    run_until([&] { return over; });
    blocked.reset();
    EXPECT_TRUE(once(lock_call("b")));
    EXPECT_EQ(gauge("database_connections_in_use"), 1);
}

TEST_F(PoolTest, AServerThatIsNotThereIsUnavailable) {
    options_.url = "postgresql://nobody@127.0.0.1:1/nothing";
    reopen();
    const Begun refused = wait(database_->begin(context_for(30s), {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "unavailable");
    EXPECT_EQ(refused.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(telemetry_.counts["database_connect_failures_total primary"].total, 1U);
    EXPECT_EQ(gauge("database_connections_in_use"), 0);
}

TEST_F(PoolTest, AServerThatDoesNotAnswerIsUnavailableInTime) {
    asio::ip::tcp::acceptor silent(context_, {asio::ip::address_v4::loopback(), 0});
    options_.url =
        "postgresql://nobody@127.0.0.1:" + std::to_string(silent.local_endpoint().port()) +
        "/nothing";
    options_.connect_timeout = 50ms;
    reopen();
    const Begun refused = wait(database_->begin(context_for(30s), {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "unavailable");
}

}  // namespace
}  // namespace rushproof::postgres
