// Goal: a commit's answer is never wrong: ok is durable, an error had no effect, and what cannot be
// known is said to be unknown.
// Method: a relay that loses the answer to a COMMIT; backends terminated before, during and after.
#include <gtest/gtest.h>

#include "core/real/postgres/tests/fixture.hpp"
#include "core/real/postgres/tests/gate.hpp"

namespace rushproof::postgres {
namespace {

using std::chrono_literals::operator""ms;

const Statement add_event{"shop.add_event_of", "INSERT INTO event(id, sku) VALUES (1, $1)", ""};
const Statement sum_stock{"shop.sum_stock", "SELECT sum(on_hand)::bigint FROM stock", ""};
const Statement die{"shop.die", "SELECT pg_terminate_backend(pg_backend_pid())", ""};

class CommitTest : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        const std::string direct = options_.url;
        const auto colon = direct.rfind(':') + 1;
        const auto slash = direct.rfind('/');
        gate_.emplace(context_.get_executor(),
                      static_cast<std::uint16_t>(std::stoi(direct.substr(colon, slash - colon))));
        options_.url =
            direct.substr(0, colon) + std::to_string(gate_->port()) + direct.substr(slash);
        options_.connections_max = 1;
        reopen();
    }
    void TearDown() override {
        gate_->stop();
        PostgresTest::TearDown();
    }

    std::optional<Gate> gate_;
};

TEST_F(CommitTest, ALostAnswerIsUnknown) {
    const auto transaction = begin();
    ASSERT_TRUE(execute(*transaction, calls(take_call("a", 1))));
    gate_->lose_next_answer();
    const Answer answer = commit(*transaction, calls(take_call("b", 1)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(answer.error().code(), "commit-unknown");
    // Here it was committed; and the next transaction gets a connection that works.
    EXPECT_EQ(stock("a"), 4);
    EXPECT_TRUE(once(take_call("a", 1)));
}

TEST_F(CommitTest, ALostAnswerBeforeCommitIsRetryable) {
    const auto transaction = begin();
    ASSERT_TRUE(execute(*transaction, calls(take_call("a", 1))));
    gate_->lose_next_answer();
    const Answer answer = execute(*transaction, calls(take_call("b", 1)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(answer.error().code(), "connection-lost");
    EXPECT_EQ(stock("a"), 5);
}

TEST_F(CommitTest, AReadThatLosesItsAnswerHadNoEffect) {
    TransactionOptions options;
    options.access = Access::read_only;
    const auto reader = begin(options);
    gate_->lose_next_answer();
    const Answer answer = commit(*reader, calls(read_call("a")));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable);
}

TEST_F(CommitTest, ADeadlineThatPassesInCommitIsUnknown) {
    const Statement slow_check{"shop.slow_check",
                               "CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS "
                               "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'",
                               ""};
    const Statement slow_trigger{"shop.slow_trigger",
                                 "CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON stock DEFERRABLE "
                                 "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()",
                                 ""};
    const auto transaction = begin({}, 300ms);
    auto list = calls(Call(slow_check, {}), Call(slow_trigger, {}));
    list.push_back(take_call("a", 1));
    ASSERT_TRUE(execute(*transaction, std::move(list)));
    const Answer answer = commit(*transaction);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::unknown_outcome);
}

TEST_F(CommitTest, ABackendTerminatedBeforeCommitIsKnownNotToHaveCommitted) {
    const auto transaction = begin();
    ASSERT_TRUE(execute(*transaction, calls(take_call("a", 1))));
    terminate_backends();
    const Answer answer = commit(*transaction, calls(take_call("b", 1)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "connection-lost");
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(stock("a"), 5);
    EXPECT_EQ(stock("b"), 7);
}

TEST_F(CommitTest, ABackendTerminatedInAStatementIsKnownNotToHaveCommitted) {
    const auto transaction = begin();
    auto list = calls(take_call("a", 1), Call(die, {}));
    const Answer answer = commit(*transaction, std::move(list));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "connection-lost");
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable) << answer.error().message();
    EXPECT_EQ(stock("a"), 5);
}

TEST_F(CommitTest, ABackendTerminatedBetweenTransactionsIsNotNoticed) {
    options_.url = variable("RUSHPROOF_POSTGRES_URL");
    reopen();
    ASSERT_TRUE(once(take_call("a", 1)));
    terminate_backends();
    EXPECT_TRUE(once(take_call("a", 1)));
    EXPECT_EQ(stock("a"), 3);
}

TEST_F(CommitTest, CommitItselfCanFailWithoutEffect) {
    const auto transaction = begin();
    ASSERT_TRUE(execute(*transaction, calls(take_call("a", 1))));
    const Answer answer = commit(
        *transaction, calls(Call(add_event, {std::string("missing")})));  // checked at COMMIT
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "constraint-violation");
    EXPECT_EQ(answer.error().kind(), ErrorKind::permanent);
    EXPECT_EQ(stock("a"), 5);
    EXPECT_TRUE(once(take_call("a", 1)));
}

TEST_F(CommitTest, WriteSkewIsRefusedAtCommit) {
    options_.connections_max = 2;
    options_.url = variable("RUSHPROOF_POSTGRES_URL");
    reopen();
    TransactionOptions options;
    options.isolation = Isolation::serializable;
    const auto one = begin(options);
    const auto two = begin(options);
    ASSERT_TRUE(execute(*one, calls(Call(sum_stock, {}))));
    ASSERT_TRUE(execute(*two, calls(Call(sum_stock, {}))));
    ASSERT_TRUE(execute(*one, calls(take_call("a", 5))));
    ASSERT_TRUE(execute(*two, calls(take_call("b", 7))));
    ASSERT_TRUE(commit(*one));
    const Answer answer = commit(*two);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "serialization-failure");
    EXPECT_EQ(answer.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(stock("b"), 7);
}

}  // namespace
}  // namespace rushproof::postgres
