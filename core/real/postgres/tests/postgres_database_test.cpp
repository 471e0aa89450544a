// Goal: statements, values, errors and deadlines behave as the database port and
// postgres_database.hpp promise.
// Method: a small schema on a real server; every error that callers can react to is provoked.
#include "core/real/postgres/postgres_database.hpp"

#include <gtest/gtest.h>

#include "core/real/postgres/tests/fixture.hpp"

namespace rushproof::postgres {
namespace {

using std::chrono_literals::operator""ms;

const Statement add_stock{"shop.add_stock", "INSERT INTO stock VALUES ($1, $2)", ""};
const Statement add_event{"shop.add_event",
                          "INSERT INTO event VALUES ($1, $2, $3, $4, $5, $6) "
                          "RETURNING id, sku, at, body, numbers, texts",
                          ""};
const Statement bad_syntax{"shop.bad_syntax", "SELEKT 1", ""};
const Statement fraction{"shop.fraction", "SELECT 0.5", ""};
const Statement truth{"shop.truth", "SELECT true, 1::int2, 'x'::varchar, NULL::text", ""};
const Statement lock_now{"shop.lock_now",
                         "SELECT on_hand FROM stock WHERE sku = $1 FOR UPDATE NOWAIT", ""};
const Statement set_based{"shop.set_based",
                          "UPDATE stock SET on_hand = on_hand - taken FROM "
                          "unnest($1::text[], $2::bigint[]) AS t(name, taken) WHERE sku = name",
                          ""};
const Statement echo{"shop.echo", "SELECT $1::text", ""};
const Statement nap{"shop.nap", "SELECT pg_sleep(30)", ""};

class PostgresDatabaseTest : public PostgresTest {
protected:
    // What becomes of a transaction in which one statement fails: it is over, without effect.
    void expect_failure(Call call, ErrorKind kind, const std::string& code) {
        const auto transaction = begin();
        ASSERT_TRUE(execute(*transaction, calls(take_call("a", 1))));
        const Answer failed = execute(*transaction, calls(std::move(call)));
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().kind(), kind) << failed.error().message();
        EXPECT_EQ(failed.error().code(), code) << failed.error().message();
        const Answer after = commit(*transaction);
        ASSERT_FALSE(after);
        EXPECT_EQ(after.error().code(), "statement-failed");
        EXPECT_EQ(stock("a"), 5);
    }
};

TEST_F(PostgresDatabaseTest, CommitsAndReturnsRows) {
    const auto transaction = begin();
    const Answer first = execute(*transaction, calls(lock_call("a"), take_call("a", 2)));
    ASSERT_TRUE(first) << first.error().message();
    ASSERT_EQ(first->size(), 2U);
    EXPECT_EQ(integer(first->at(0).rows.at(0), 0), 5);
    EXPECT_EQ(first->at(0).affected, 0);
    EXPECT_EQ(text(first->at(1).rows.at(0), 0), "a");
    EXPECT_EQ(integer(first->at(1).rows.at(0), 1), 3);
    EXPECT_EQ(first->at(1).affected, 1);
    EXPECT_EQ(stock("a"), 5);
    const Answer last = commit(*transaction, calls(take_call("b", 7)));
    ASSERT_TRUE(last) << last.error().message();
    EXPECT_EQ(stock("a"), 3);
    EXPECT_EQ(stock("b"), 0);
    EXPECT_FALSE(commit(*transaction));
}

TEST_F(PostgresDatabaseTest, ValuesSurvive) {
    const Row row{std::int64_t{1},
                  std::string("a"),
                  WallTime(std::chrono::microseconds(1'785'585'600'000'250)),
                  Bytes{std::string("\0\xff'\\", 4)},
                  std::vector<std::int64_t>{1, INT64_MIN, INT64_MAX},
                  std::vector<std::string>{"", "NULL", R"(a"b\c{},)", "\xc3\xa9"}};
    const auto stored = once(Call(add_event, row));
    ASSERT_TRUE(stored) << stored.error().message();
    EXPECT_EQ(stored->rows.at(0), row);
    const Row nulls{std::int64_t{2}, {}, {}, {}, {}, {}};
    const auto empty = once(Call(add_event, nulls));
    ASSERT_TRUE(empty) << empty.error().message();
    EXPECT_EQ(empty->rows.at(0), nulls);
    const auto others = once(Call(truth, {}));
    ASSERT_TRUE(others) << others.error().message();
    const Row expected{std::int64_t{1}, std::int64_t{1}, std::string("x"), {}};
    EXPECT_EQ(others->rows.at(0), expected);
}

TEST_F(PostgresDatabaseTest, ArraysAreParametersOfSets) {
    const auto taken = once(Call(set_based, {std::vector<std::string>{"a", "b", "missing"},
                                             std::vector<std::int64_t>{1, 2, 3}}));
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ(taken->affected, 2);
    EXPECT_EQ(stock("a"), 4);
    EXPECT_EQ(stock("b"), 5);
}

TEST_F(PostgresDatabaseTest, FailedStatementsEndTheTransaction) {
    expect_failure(Call(add_stock, {std::string("b"), std::int64_t{1}}), ErrorKind::permanent,
                   "unique-violation");
    expect_failure(take_call("a", 100), ErrorKind::permanent, "constraint-violation");
    expect_failure(Call(bad_syntax, {}), ErrorKind::permanent, "statement-failed");
    expect_failure(Call(fraction, {}), ErrorKind::permanent, "statement-failed");
    expect_failure(Call(add_stock, {std::string("a\0b", 3), std::int64_t{1}}), ErrorKind::permanent,
                   "statement-failed");
    expect_failure(Call(add_stock, {std::string("too few")}), ErrorKind::permanent,
                   "statement-failed");
}

TEST_F(PostgresDatabaseTest, APipelineStopsAtTheFirstError) {
    options_.connections_max = 1;
    reopen();
    const auto transaction = begin();
    auto list = calls(take_call("a", 100), take_call("b", 1));
    EXPECT_FALSE(commit(*transaction, std::move(list)));
    EXPECT_EQ(stock("b"), 7);
    // The connection and its prepared statements are as good as before.
    EXPECT_TRUE(once(take_call("b", 1)));
}

TEST_F(PostgresDatabaseTest, LocksTimeOutAtOnceOrLater) {
    options_.lock_timeout = 50ms;
    reopen();
    const auto holder = begin();
    ASSERT_TRUE(execute(*holder, calls(lock_call("a"))));
    const auto refused = once(Call(lock_now, {std::string("a")}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "lock-timeout");
    const auto waited = once(lock_call("a"));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code(), "lock-timeout");
    EXPECT_EQ(waited.error().kind(), ErrorKind::retryable);
}

TEST_F(PostgresDatabaseTest, StatementsTimeOut) {
    options_.statement_timeout = 50ms;
    reopen();
    const auto slept = once(Call(nap, {}));
    ASSERT_FALSE(slept);
    EXPECT_EQ(slept.error().code(), "deadline-exceeded");
}

TEST_F(PostgresDatabaseTest, ADeadlockIsBrokenAndCanBeRetried) {
    const auto one = begin();
    const auto two = begin();
    ASSERT_TRUE(execute(*one, calls(lock_call("a"))));
    ASSERT_TRUE(execute(*two, calls(lock_call("b"))));
    std::vector<Answer> answers;
    const auto keep = [&](std::exception_ptr, Answer answer) {
        answers.push_back(std::move(answer));
    };
    auto crossing = calls(lock_call("b"));
    asio::co_spawn(context_, one->execute(std::move(crossing)), keep);
    crossing = calls(lock_call("a"));
    asio::co_spawn(context_, two->execute(std::move(crossing)), keep);
    context_.restart();
    while (answers.size() < 2) { context_.run_one(); }
    const bool first_lost = !answers[0];
    const Answer& lost = answers[first_lost ? 0 : 1];
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code(), "deadlock");
    EXPECT_EQ(lost.error().kind(), ErrorKind::retryable);
    EXPECT_TRUE(answers[first_lost ? 1 : 0]);
}

TEST_F(PostgresDatabaseTest, IsolationIsWhatWasAskedFor) {
    TransactionOptions options;
    for (const auto isolation :
         {Isolation::read_committed, Isolation::repeatable_read, Isolation::serializable}) {
        options.isolation = isolation;
        const auto reader = begin(options);
        ASSERT_TRUE(execute(*reader, calls(read_call("a"))));
        ASSERT_TRUE(once(take_call("a", 1)));
        const Answer again = execute(*reader, calls(read_call("a")));
        ASSERT_TRUE(again);
        const bool sees = integer(again->at(0).rows.at(0), 0) == stock("a");
        EXPECT_EQ(sees, isolation == Isolation::read_committed);
        const Answer written = execute(*reader, calls(take_call("a", 1)));
        EXPECT_EQ(written.has_value(), isolation == Isolation::read_committed);
        if (!written) { EXPECT_EQ(written.error().code(), "serialization-failure"); }
    }
}

TEST_F(PostgresDatabaseTest, ReadOnlyTransactionsCannotWrite) {
    TransactionOptions options;
    options.access = Access::read_only;
    EXPECT_TRUE(once(read_call("a"), options));
    EXPECT_FALSE(once(take_call("a", 1), options));
    EXPECT_EQ(stock("a"), 5);
}

TEST_F(PostgresDatabaseTest, AbandonedTransactionsAreRolledBack) {
    {
        const auto abandoned = begin();
        ASSERT_TRUE(execute(*abandoned, calls(take_call("a", 1))));
    }
    // It holds no lock any more once this gets one.
    const auto taken = once(take_call("a", 2));
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ(stock("a"), 3);
    EXPECT_EQ(backends("state = 'idle in transaction'"), 0);
}

TEST_F(PostgresDatabaseTest, ADeadlineEndsAWaitAndTheServersWork) {
    const auto holder = begin();
    ASSERT_TRUE(execute(*holder, calls(lock_call("a"))));
    const auto waiting = begin({}, 100ms);
    ASSERT_TRUE(execute(*waiting, calls(lock_call("b"))));
    const Answer late = execute(*waiting, calls(lock_call("a")));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), "deadline-exceeded");
    EXPECT_EQ(late.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(commit(*waiting).error().code(), "deadline-exceeded");
    // The server notices and lets go of b, while a is still held.
    EXPECT_TRUE(once(lock_call("b")));
}

TEST_F(PostgresDatabaseTest, ATransactionThatIdlesPastItsDeadlineIsRolledBack) {
    const auto idle = begin({}, 100ms);
    ASSERT_TRUE(execute(*idle, calls(take_call("a", 1))));
    EXPECT_TRUE(once(lock_call("a")));  // waits until it is gone
    const Answer late = commit(*idle);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), "deadline-exceeded");
    EXPECT_EQ(late.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(stock("a"), 5);
}

TEST_F(PostgresDatabaseTest, LargePipelinesDoNotBlockOneAnother) {
    const std::string large(200'000, 'x');
    std::vector<Call> list;
    for (int i = 0; i < 100; ++i) { list.emplace_back(echo, Row{large}); }
    const auto transaction = begin();
    const Answer answer = commit(*transaction, std::move(list));
    ASSERT_TRUE(answer) << answer.error().message();
    ASSERT_EQ(answer->size(), 100U);
    for (const Rows& rows : *answer) { EXPECT_EQ(text(rows.rows.at(0), 0).size(), large.size()); }
}

TEST_F(PostgresDatabaseTest, ABadUrlIsRefusedWithoutRepeatingIt) {
    options_.url = "postgresql://me:secret@localhost/x?no-such-parameter=1";
    const auto created = PostgresDatabase::create(context_.get_executor(), options_, telemetry_);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code(), "bad-url");
    EXPECT_EQ(created.error().message().find("secret"), std::string::npos);
}

TEST_F(PostgresDatabaseTest, ATransactionMayOutliveTheDatabase) {
    const auto open = begin();
    ASSERT_TRUE(execute(*open, calls(take_call("a", 1))));
    database_.reset();
    EXPECT_TRUE(commit(*open));
    EXPECT_EQ(stock("a"), 4);
}

}  // namespace
}  // namespace rushproof::postgres
