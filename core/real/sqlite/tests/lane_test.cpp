// Goal: transactions are granted one at a time in the order they came, waits are bounded, nobody
// can block the writer for longer than a deadline, and closing answers everybody.
// Method: coroutines on their own io_contexts against one file; deadlines of some milliseconds are
// let pass by waiting for what must follow, never by sleeping.
#include "core/real/sqlite/lane.hpp"

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <thread>

#include "core/real/sqlite/tests/fixture.hpp"

namespace rushproof::sqlite {
namespace {

using std::chrono::milliseconds;

const Statement add_row{"lane.add_row", "INSERT INTO row VALUES ($1)", ""};
const Statement count_rows{"lane.count_rows", "SELECT count(*) FROM row", ""};
const Statement take_one{"lane.take_one", "UPDATE stock SET left = left - 1 WHERE left > 0", ""};
const Statement read_left{"lane.read_left", "SELECT left FROM stock", ""};
const std::vector<Migration> schema = {
    {1, "lane.tables",
     "CREATE TABLE row(id INTEGER PRIMARY KEY); CREATE TABLE stock(left INTEGER); "
     "INSERT INTO stock VALUES (300)",
     ""}};

class LaneTest : public testing::Test {
protected:
    void SetUp() override {
        options_.path = directory_.file("lane.db");
        options_.waiting_max = 4;
        open();
        ASSERT_TRUE(database_->apply("lane", schema));
    }
    void open() {
        database_.reset();
        database_ = SqliteDatabase::open(options_).value();
    }
    std::int64_t value_of(const Statement& statement) {
        return integer(once(*database_, Call(statement, {}), Access::read_only).value().rows[0], 0);
    }

    TemporaryDirectory directory_;
    SqliteOptions options_;
    std::unique_ptr<SqliteDatabase> database_;
};

// What became of one begin, noted in the order in which answers came.
struct Answer {
    int number;
    std::string code;  // "granted", or the error's
};

Task<void> note_begin(Database& database, int number, Duration left, std::vector<Answer>& answers) {
    const auto begun = co_await begin_now(database, TransactionOptions(), left);
    answers.push_back({number, begun ? "granted" : begun.error().code()});
}

std::vector<std::string> codes(const std::vector<Answer>& answers) {
    std::vector<std::string> result;
    for (const Answer& answer : answers) result.push_back(answer.code);
    return result;
}

TEST_F(LaneTest, GrantsInOrderOfArrivalAndRefusesWhenTheLineIsFull) {
    auto holder = begin(*database_);
    ASSERT_TRUE(holder);
    asio::io_context context(1);
    std::vector<Answer> answers;
    for (int number = 0; number < 6; ++number) {
        asio::co_spawn(context, note_begin(*database_, number, long_time, answers), asio::detached);
    }
    while (answers.size() < 2) context.run_one();
    EXPECT_EQ(codes(answers), (std::vector<std::string>{"pool-exhausted", "pool-exhausted"}));
    answers.clear();
    ASSERT_TRUE(commit(**holder));
    context.run();
    ASSERT_EQ(answers.size(), 4u);
    for (int number = 0; number < 4; ++number) {
        const Answer& answer = answers[static_cast<std::size_t>(number)];
        EXPECT_EQ(answer.number, number);
        EXPECT_EQ(answer.code, "granted");
    }
}

TEST_F(LaneTest, ABeginWaitsNoLongerThanItsDeadline) {
    auto holder = begin(*database_);
    ASSERT_TRUE(holder);
    // The hurried one comes second of three, and nobody makes a call that would wake the writer.
    asio::io_context context(1);
    std::vector<Answer> answers;
    asio::co_spawn(context, note_begin(*database_, 0, long_time, answers), asio::detached);
    asio::co_spawn(context, note_begin(*database_, 1, milliseconds(10), answers), asio::detached);
    asio::co_spawn(context, note_begin(*database_, 2, long_time, answers), asio::detached);
    while (answers.empty()) context.run_one();
    EXPECT_EQ(answers[0].number, 1);
    EXPECT_EQ(answers[0].code, "deadline-exceeded");
    ASSERT_TRUE(commit(**holder));
    context.run();
    EXPECT_EQ(codes(answers),
              (std::vector<std::string>{"deadline-exceeded", "granted", "granted"}));
    const auto late = begin(*database_, Access::read_only, milliseconds(-1));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(late.error().code(), "deadline-exceeded");
}

// A transaction that has written a row and has little time left.  On a slow machine it may take
// several attempts to have one in time.
std::unique_ptr<Transaction> begin_hurried(Database& database) {
    for (Duration left = milliseconds(10);; left *= 2) {
        auto hurried = begin(database, Access::read_write, left);
        if (hurried && execute(**hurried, {Call(add_row, {std::int64_t{1}})})) {
            return *std::move(hurried);
        }
    }
}

TEST_F(LaneTest, ALostTransactionIsRolledBackAtItsDeadline) {
    const auto lost = begin_hurried(*database_);
    auto next = begin(*database_);
    ASSERT_TRUE(next) << "the writer is free again";
    const auto late = commit(*lost);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(late.error().code(), "deadline-exceeded");
    EXPECT_TRUE(commit(**next, {Call(add_row, {std::int64_t{2}})}));
    EXPECT_EQ(value_of(count_rows), 1);
}

TEST_F(LaneTest, NobodyHasATurnBeforeItsFirstCall) {
    auto early = wait(database_->begin(context_for(long_time)));
    auto never = wait(database_->begin(context_for(long_time)));
    ASSERT_TRUE(early && never);
    EXPECT_TRUE(once(*database_, Call(add_row, {std::int64_t{1}})));
    const auto counted = commit(**early, {Call(count_rows, {})});
    ASSERT_TRUE(counted);
    EXPECT_EQ(integer((*counted)[0].rows[0], 0), 1);
}

TEST_F(LaneTest, ReadersServeAsManyTransactionsAsThereAreThreads) {
    auto first = begin(*database_, Access::read_only);
    auto second = begin(*database_, Access::read_only);
    ASSERT_TRUE(first && second);
    const auto third = begin(*database_, Access::read_only, milliseconds(10));
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code(), "deadline-exceeded");
    first->reset();
    EXPECT_TRUE(begin(*database_, Access::read_only));
}

TEST_F(LaneTest, ClosingAnswersEverybody) {
    auto held = begin(*database_);
    ASSERT_TRUE(held);
    ASSERT_TRUE(execute(**held, {Call(add_row, {std::int64_t{1}})}));
    asio::io_context context(1);
    std::vector<Answer> answers;
    asio::co_spawn(context, note_begin(*database_, 0, long_time, answers), asio::detached);
    context.poll();
    database_.reset();
    context.run();
    EXPECT_EQ(codes(answers), std::vector<std::string>{"unavailable"});
    const auto late = commit(**held);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(late.error().code(), "unavailable");
    EXPECT_FALSE(std::filesystem::exists(options_.path + "-wal")) << "the log is folded in";
    open();
    EXPECT_EQ(value_of(count_rows), 0);
}

Task<void> note_commit(Transaction& transaction, std::vector<Call> last, std::string& code) {
    const auto committed = co_await transaction.commit(std::move(last));
    code = committed ? "committed" : committed.error().code();
}

TEST_F(LaneTest, ClosingFinishesTheCallsItAccepted) {
    for (std::int64_t round = 0; round < 20; ++round) {
        auto held = begin(*database_);
        ASSERT_TRUE(held);
        asio::io_context context(1);
        std::string code;
        std::vector<Call> last{Call(add_row, {round})};
        asio::co_spawn(context, note_commit(**held, std::move(last), code), asio::detached);
        context.poll();
        database_.reset();
        context.run();
        EXPECT_EQ(code, "committed");
        open();
        EXPECT_EQ(value_of(count_rows), round + 1);
    }
}

Task<void> hold_for_ever(Database& database, bool& holding) {
    auto transaction = co_await database.begin(context_for(long_time));
    std::vector<Call> calls{Call(add_row, {std::int64_t{1}})};
    EXPECT_TRUE(co_await transaction.value()->execute(std::move(calls)));
    holding = true;
    asio::steady_timer never(co_await asio::this_coro::executor, Duration::max());
    co_await never.async_wait(asio::use_awaitable);
}

TEST_F(LaneTest, CallersMayBeDestroyedUnfinishedAfterTheDatabase) {
    {
        asio::io_context context(1);
        bool holding = false;
        std::vector<Answer> answers;
        asio::co_spawn(context, hold_for_ever(*database_, holding), asio::detached);
        while (!holding) context.run_one();
        asio::co_spawn(context, note_begin(*database_, 0, long_time, answers), asio::detached);
        context.poll();
        database_.reset();
    }
    open();
    EXPECT_EQ(value_of(count_rows), 0);
}

// Takes units until there are none; every third attempt changes its mind.
Task<void> buy(Database& database, int& bought) {
    for (int attempt = 0;; ++attempt) {
        auto transaction = co_await database.begin(context_for(long_time));
        std::vector<Call> calls{Call(take_one, {})};
        const auto taken = co_await (*transaction)->execute(std::move(calls));
        if (!taken) {
            EXPECT_EQ(taken.error().code(), "pool-exhausted");
            continue;
        }
        if ((*taken)[0].affected == 0) co_return;
        if (attempt % 3 == 2) continue;
        const auto committed = co_await (*transaction)->commit();
        EXPECT_TRUE(committed);
        ++bought;
    }
}

TEST_F(LaneTest, NothingIsOversoldOrLostBetweenThreads) {
    asio::io_context contexts[2];
    std::vector<int> bought(8, 0);
    for (std::size_t buyer = 0; buyer < bought.size(); ++buyer) {
        asio::co_spawn(contexts[buyer % 2], buy(*database_, bought[buyer]), asio::detached);
    }
    std::thread other([&] { contexts[1].run(); });
    contexts[0].run();
    other.join();
    int total = 0;
    for (const int count : bought) total += count;
    EXPECT_EQ(total, 300);
    EXPECT_EQ(value_of(read_left), 0);
}

}  // namespace
}  // namespace rushproof::sqlite
