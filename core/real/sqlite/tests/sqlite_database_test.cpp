// Goal: statements, values, errors, migrations and ownership behave as the database port and
// sqlite_database.hpp promise.
// Method: a small schema in a temporary file; every error that callers can react to is provoked.
#include "core/real/sqlite/sqlite_database.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "core/real/sqlite/tests/fixture.hpp"

namespace rushproof::sqlite {
namespace {

const std::vector<Migration> schema = {
    {1, "shop.tables", "",
     "CREATE TABLE stock(sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK(on_hand >= 0));"
     "CREATE TABLE event(id INTEGER PRIMARY KEY, sku TEXT REFERENCES stock(sku) DEFERRABLE "
     "INITIALLY DEFERRED, at TIMESTAMP, body BLOB)"},
    {2, "shop.fill", "INSERT INTO stock VALUES ('a', 5), ('b', 7)", ""},
};

const Statement read_stock{"shop.read_stock", "SELECT on_hand FROM stock WHERE sku = $1", ""};
const Statement add_stock{"shop.add_stock", "never valid SQL", "INSERT INTO stock VALUES ($1, $2)"};
const Statement take_stock{"shop.take_stock",
                           "UPDATE stock SET on_hand = on_hand - $2 WHERE sku = $1 "
                           "RETURNING sku, on_hand",
                           ""};
const Statement add_event{
    "shop.add_event", "INSERT INTO event VALUES ($1, $2, $3, $4) RETURNING id, sku, at, body", ""};
const Statement read_event{"shop.read_event", "SELECT * FROM event WHERE at <= $1", ""};
const Statement database_time{"shop.database_time", "SELECT transaction_time()", ""};
const Statement add_now{"shop.add_now", "INSERT INTO event(at) VALUES (transaction_time())", ""};

class SqliteDatabaseTest : public testing::Test {
protected:
    void SetUp() override {
        options_.path = directory_.file("shop.db");
        options_.wall_clock = [this] { return WallTime(WallTime::duration(++clock_)); };
        reopen();
        ASSERT_TRUE(database_->apply("shop", schema));
    }

    void reopen() {
        database_.reset();
        auto opened = SqliteDatabase::open(options_);
        ASSERT_TRUE(opened) << opened.error().message();
        database_ = *std::move(opened);
    }

    std::int64_t stock(const std::string& sku) {
        const auto rows = once(*database_, Call(read_stock, {sku}), Access::read_only);
        return rows && !rows->rows.empty() ? integer(rows->rows[0], 0) : -1;
    }

    // What becomes of a transaction in which one statement fails: it is over, without effect.
    void expect_failure(Call call, ErrorKind kind, const std::string& code) {
        auto transaction = begin(*database_);
        ASSERT_TRUE(transaction);
        ASSERT_TRUE(execute(**transaction, {Call(take_stock, {"a", std::int64_t{1}})}));
        const auto failed = execute(**transaction, {std::move(call)});
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().kind(), kind) << failed.error().message();
        EXPECT_EQ(failed.error().code(), code) << failed.error().message();
        const auto after = commit(**transaction);
        ASSERT_FALSE(after);
        EXPECT_EQ(after.error().code(), "statement-failed");
        EXPECT_EQ(stock("a"), 5);
    }

    TemporaryDirectory directory_;
    std::atomic<std::int64_t> clock_ = 1'000'000'000;  // ticks at each begin
    SqliteOptions options_;
    std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SqliteDatabaseTest, CommitsAndReturnsRows) {
    auto transaction = begin(*database_);
    ASSERT_TRUE(transaction);
    const auto taken =
        execute(**transaction, {Call(read_stock, {"a"}), Call(take_stock, {"a", std::int64_t{2}}),
                                Call(read_stock, {"nothing"})});
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ((*taken)[0].rows, (std::vector<Row>{{std::int64_t{5}}}));
    EXPECT_EQ((*taken)[0].affected, 0);
    EXPECT_EQ((*taken)[1].rows, (std::vector<Row>{{"a", std::int64_t{3}}}));
    EXPECT_EQ((*taken)[1].affected, 1);
    EXPECT_TRUE((*taken)[2].rows.empty());
    EXPECT_EQ(stock("a"), 5) << "readers see no uncommitted row";
    const auto committed = commit(**transaction, {Call(take_stock, {"b", std::int64_t{7}})});
    ASSERT_TRUE(committed);
    EXPECT_EQ((*committed)[0].rows, (std::vector<Row>{{"b", std::int64_t{0}}}));
    reopen();
    EXPECT_EQ(stock("a"), 3);
    EXPECT_EQ(stock("b"), 0);
}

TEST_F(SqliteDatabaseTest, KeepsEveryKindOfValue) {
    const std::string odd("q'\0\"\xC3\xA9", 6);
    const WallTime at(std::chrono::microseconds(1'234'567'890'123'456));
    const Row full{std::int64_t{1}, "a", at, Bytes{odd}};
    const Row empty{std::int64_t{2}, Value(), Value(), Bytes{""}};
    for (const Row& row : {full, empty}) {
        const auto added = once(*database_, Call(add_event, row));
        ASSERT_TRUE(added) << added.error().message();
        EXPECT_EQ(added->rows, std::vector<Row>{row});
    }
    const auto read = once(*database_, Call(read_event, {at}), Access::read_only);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->rows, std::vector<Row>{full});
    ASSERT_TRUE(once(*database_, Call(add_stock, {odd, INT64_MAX})));
    EXPECT_EQ(stock(odd), INT64_MAX);
}

TEST_F(SqliteDatabaseTest, BindsArraysForJsonEach) {
    static const Statement join{
        "shop.join",
        "SELECT stock.sku, on_hand, number.value FROM json_each($2) AS name "
        "JOIN stock ON stock.sku = name.value "
        "JOIN json_each($1) AS number ON number.key = name.key "
        "ORDER BY name.key",
        ""};
    const std::string quoted = "c\"\\\n\xC3\xA9";
    ASSERT_TRUE(once(*database_, Call(add_stock, {quoted, std::int64_t{9}})));
    const std::vector<std::int64_t> numbers{INT64_MIN, 0, 12};
    const std::vector<std::string> names{"b", quoted, "a"};
    const auto joined = once(*database_, Call(join, {numbers, names}), Access::read_only);
    ASSERT_TRUE(joined) << joined.error().message();
    const std::vector<Row> expected{{"b", std::int64_t{7}, INT64_MIN},
                                    {quoted, std::int64_t{9}, std::int64_t{0}},
                                    {"a", std::int64_t{5}, std::int64_t{12}}};
    EXPECT_EQ(joined->rows, expected);
    const auto none = once(*database_, Call(join, {std::vector<std::int64_t>(), names}));
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->rows.empty());
}

TEST_F(SqliteDatabaseTest, NumbersParametersByNameNotByPlace) {
    static const Statement reversed{"shop.reversed", "SELECT $2, $1, $2", ""};
    const auto rows = once(*database_, Call(reversed, {"first", "second"}));
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->rows, (std::vector<Row>{{"second", "first", "second"}}));
}

TEST_F(SqliteDatabaseTest, TransactionTimeStandsStill) {
    auto transaction = begin(*database_);
    ASSERT_TRUE(transaction);
    const WallTime now{WallTime::duration(clock_)};
    const auto first = execute(**transaction, {Call(database_time, {}), Call(add_now, {})});
    const auto second = commit(**transaction, {Call(database_time, {}), Call(read_event, {now})});
    ASSERT_TRUE(first && second);
    EXPECT_EQ((*first)[0].rows, (*second)[0].rows);
    EXPECT_EQ(wall_time((*second)[1].rows[0], 2), now);
    const auto later = once(*database_, Call(database_time, {}));
    ASSERT_TRUE(later);
    EXPECT_EQ(integer(later->rows[0], 0), integer((*first)[0].rows[0], 0) + 1);
}

TEST_F(SqliteDatabaseTest, RollsBackWhatIsDestroyed) {
    {
        auto transaction = begin(*database_);
        ASSERT_TRUE(transaction);
        ASSERT_TRUE(execute(**transaction, {Call(take_stock, {"a", std::int64_t{5}})}));
    }
    ASSERT_TRUE(once(*database_, Call(take_stock, {"a", std::int64_t{1}})));
    EXPECT_EQ(stock("a"), 4);
}

TEST_F(SqliteDatabaseTest, NamesViolations) {
    expect_failure(Call(add_stock, {"a", std::int64_t{1}}), ErrorKind::permanent,
                   "unique-violation");
    expect_failure(Call(take_stock, {"a", std::int64_t{6}}), ErrorKind::permanent,
                   "constraint-violation");
    expect_failure(Call(add_stock, {"c", Value()}), ErrorKind::permanent, "constraint-violation");
    auto transaction = begin(*database_);
    ASSERT_TRUE(transaction);
    const Row orphan{std::int64_t{1}, "no such sku", Value(), Value()};
    const auto deferred = commit(**transaction, {Call(add_event, orphan)});
    ASSERT_FALSE(deferred);
    EXPECT_EQ(deferred.error().kind(), ErrorKind::permanent);
    EXPECT_EQ(deferred.error().code(), "constraint-violation");
    EXPECT_TRUE(once(*database_, Call(take_stock, {"a", std::int64_t{1}})));
}

TEST_F(SqliteDatabaseTest, RefusesWrongStatements) {
    static const Statement wrong[] = {
        {"shop.syntax", "SELEC 1", ""},     {"shop.no_table", "SELECT * FROM missing", ""},
        {"shop.argument", "SELECT $1", ""}, {"shop.style", "SELECT ?1", ""},
        {"shop.name", "SELECT $sku", ""},   {"shop.two", "SELECT 1; SELECT 2", ""},
        {"shop.none", "-- nothing", ""},    {"shop.float", "SELECT 0.5", ""},
    };
    for (const Statement& statement : wrong) {
        SCOPED_TRACE(statement.name);
        expect_failure(Call(statement, {}), ErrorKind::permanent, "statement-failed");
    }
}

TEST_F(SqliteDatabaseTest, StopsAtTheFirstErrorOfAPipeline) {
    auto transaction = begin(*database_);
    ASSERT_TRUE(transaction);
    const auto failed = commit(**transaction, {Call(take_stock, {"a", std::int64_t{1}}),
                                               Call(add_stock, {"b", std::int64_t{1}}),
                                               Call(take_stock, {"b", std::int64_t{1}})});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), "unique-violation");
    EXPECT_EQ(stock("a"), 5);
    EXPECT_EQ(stock("b"), 7);
}

TEST_F(SqliteDatabaseTest, AFullFileEndsTheTransactionButMayBeTriedAgain) {
    static const Statement no_more_pages{"shop.no_more_pages", "PRAGMA max_page_count = 1", ""};
    static const Statement fill{"shop.fill_up", "INSERT INTO event(body) VALUES (zeroblob(100000))",
                                ""};
    ASSERT_TRUE(once(*database_, Call(no_more_pages, {})));
    expect_failure(Call(fill, {}), ErrorKind::retryable, "connection-lost");
}

TEST_F(SqliteDatabaseTest, WaitsForAForeignLockOnlySoLong) {
    static const Statement attach{"shop.attach", "ATTACH $1 AS other", ""};
    static const Statement write_other{"shop.write_other", "INSERT INTO other.thing VALUES (1)",
                                       ""};
    const std::string path = directory_.file("other.db");
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
    sqlite3_exec(other, "CREATE TABLE thing(id); BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    options_.lock_wait = std::chrono::milliseconds(1);
    reopen();
    ASSERT_TRUE(once(*database_, Call(attach, {path})));
    expect_failure(Call(write_other, {}), ErrorKind::retryable, "lock-timeout");
    sqlite3_close(other);

    sqlite3* same = nullptr;
    ASSERT_EQ(sqlite3_open(options_.path.c_str(), &same), SQLITE_OK);
    sqlite3_exec(same, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const auto refused = begin(*database_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::retryable);
    EXPECT_EQ(refused.error().code(), "unavailable");
    EXPECT_EQ(stock("a"), 5) << "readers do not wait for writers";
    sqlite3_close(same);
    EXPECT_TRUE(begin(*database_));
}

TEST_F(SqliteDatabaseTest, ReadersKeepTheSnapshotOfTheirBegin) {
    auto reader = begin(*database_, Access::read_only);
    ASSERT_TRUE(reader);
    ASSERT_TRUE(once(*database_, Call(take_stock, {"a", std::int64_t{5}})));
    const auto seen = commit(**reader, {Call(read_stock, {"a"})});
    ASSERT_TRUE(seen);
    EXPECT_EQ(integer((*seen)[0].rows[0], 0), 5);
    EXPECT_EQ(stock("a"), 0);
}

TEST_F(SqliteDatabaseTest, ReadOnlyTransactionsCannotWrite) {
    const auto written =
        once(*database_, Call(take_stock, {"a", std::int64_t{1}}), Access::read_only);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind(), ErrorKind::permanent);
    EXPECT_EQ(written.error().code(), "statement-failed");
}

TEST_F(SqliteDatabaseTest, TheLogStaysBoundedWhileReadersOverlap) {
    options_.checkpoint_pages = 4;
    reopen();
    std::atomic<bool> written = false;
    std::thread reading([&] {
        // At every moment somebody reads.
        auto reader = begin(*database_, Access::read_only);
        while (!written) {
            auto next = begin(*database_, Access::read_only);
            EXPECT_TRUE(next);
            reader = std::move(next);
        }
    });
    for (int round = 0; round < 500; ++round) EXPECT_TRUE(once(*database_, Call(add_now, {})));
    written = true;
    reading.join();
    constexpr std::uintmax_t page = 4096 + 24;
    EXPECT_LT(std::filesystem::file_size(options_.path + "-wal"), 100 * page);
}

TEST_F(SqliteDatabaseTest, RefusesASecondOwnerUntilTheFirstIsGone) {
    std::filesystem::create_symlink(options_.path, directory_.file("alias.db"));
    for (const std::string name : {"shop.db", "alias.db"}) {
        SqliteOptions options;
        options.path = directory_.file(name);
        const auto second = SqliteDatabase::open(options);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().kind(), ErrorKind::permanent);
        EXPECT_EQ(second.error().code(), "database-in-use");
        EXPECT_NE(second.error().message().find(options.path), std::string::npos);
        EXPECT_NE(second.error().message().find("stop that process"), std::string::npos);
    }
    reopen();
    EXPECT_EQ(stock("a"), 5);
}

TEST_F(SqliteDatabaseTest, SaysWhyItCannotOpen) {
    SqliteOptions options;
    options.path = directory_.file("no/such/folder/x.db");
    auto opened = SqliteDatabase::open(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), "open-failed");
    EXPECT_NE(opened.error().message().find("no/such/folder"), std::string::npos);
    options.path = directory_.path().string();
    opened = SqliteDatabase::open(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), "open-failed");
}

TEST_F(SqliteDatabaseTest, AppliesEachMigrationOnce) {
    ASSERT_TRUE(once(*database_, Call(take_stock, {"a", std::int64_t{1}})));
    reopen();
    ASSERT_TRUE(database_->apply("shop", schema));
    EXPECT_EQ(stock("a"), 4);
    auto longer = schema;
    longer.push_back({3, "shop.more", "UPDATE stock SET on_hand = on_hand + 10", ""});
    ASSERT_TRUE(database_->apply("shop", longer));
    EXPECT_EQ(stock("a"), 14);
    // Versions are counted per schema.
    ASSERT_TRUE(database_->apply("post", {{1, "post.more", "UPDATE stock SET on_hand = 0", ""}}));
    EXPECT_EQ(stock("a"), 0);
}

TEST_F(SqliteDatabaseTest, AFailedMigrationLeavesNothing) {
    auto broken = schema;
    broken.push_back({3, "shop.good", "UPDATE stock SET on_hand = 50", ""});
    broken.push_back(
        {4, "shop.bad", "UPDATE stock SET on_hand = 60; UPDATE missing SET x = 1", ""});
    const auto applied = database_->apply("shop", broken);
    ASSERT_FALSE(applied);
    EXPECT_NE(applied.error().message().find("shop.bad"), std::string::npos);
    EXPECT_EQ(stock("a"), 50);
}

TEST_F(SqliteDatabaseTest, RefusesAFileNewerThanTheProgram) {
    auto older = schema;
    older.pop_back();
    const auto applied = database_->apply("shop", older);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().kind(), ErrorKind::permanent);
    EXPECT_EQ(applied.error().code(), "schema-newer");
}

}  // namespace
}  // namespace rushproof::sqlite
