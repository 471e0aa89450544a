// Goal: the log is written in few calls, every reader sees what it should, and an error of a
// gathered write is an error of its commit.
// Method: a VFS beneath that counts what comes through and can refuse it.
#include "core/real/sqlite/gathered_log.hpp"

#include <gtest/gtest.h>

#include "core/real/sqlite/tests/fixture.hpp"
#include "core/real/sqlite/tests/unreliable_disk.hpp"

namespace rushproof::sqlite {
namespace {

const std::vector<Migration> schema = {
    {1, "log.tables", "CREATE TABLE a(x); CREATE TABLE b(x); CREATE TABLE c(id INTEGER, x BLOB)",
     ""}};
const Statement add_a{"log.add_a", "INSERT INTO a VALUES ($1)", ""};
const Statement add_b{"log.add_b", "INSERT INTO b VALUES ($1)", ""};
const Statement add_large{"log.add_large", "INSERT INTO c VALUES ($1, zeroblob(3000000))", ""};
const Statement count{"log.count",
                      "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), "
                      "(SELECT count(*) FROM c WHERE length(x) = 3000000)",
                      ""};

class GatheredLogTest : public testing::Test {
protected:
    void SetUp() override {
        options_.path = directory_.file("log.db");
        options_.vfs = "gathered-log-test";
        database_ = SqliteDatabase::open(options_).value();
        ASSERT_TRUE(database_->apply("log", schema));
    }
    // How many changes and syncs of files the work takes.
    template <class Work>
    std::uint64_t steps_of(const Work& work) {
        constexpr std::uint64_t plenty = 1'000'000;
        disk_.lose_power_after(plenty);
        work();
        return plenty - disk_.steps_left();
    }
    void add_both(std::int64_t number) {
        auto transaction = begin(*database_);
        ASSERT_TRUE(execute(**transaction, {Call(add_a, {number})}));
        ASSERT_TRUE(commit(**transaction, {Call(add_b, {number})}));
    }
    std::vector<std::int64_t> counts() {
        const auto found = once(*database_, Call(count, {}), Access::read_only).value();
        const Row& row = found.rows[0];
        return {integer(row, 0), integer(row, 1), integer(row, 2)};
    }

    TemporaryDirectory directory_;
    UnreliableDisk disk_{"gathered-log-test", UnreliableDisk::Syncs::obeyed};
    SqliteOptions options_;
    std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(GatheredLogTest, ACommitIsOneWriteAndOneSync) {
    add_both(0);
    EXPECT_EQ(steps_of([&] { add_both(1); }), 2U);
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 2, 0}));
}

// More than is gathered, and more than SQLite keeps in memory: the transaction reads back from the
// log what it has not committed.
TEST_F(GatheredLogTest, ALongTransactionSeesItsOwnWritesAndNobodyElseDoes) {
    auto transaction = begin(*database_);
    for (std::int64_t number = 0; number < 4; ++number) {
        const auto added = execute(**transaction, {Call(add_large, {number})});
        ASSERT_TRUE(added) << added.error().message();
    }
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{0, 0, 0}));
    const auto own = execute(**transaction, {Call(count, {})});
    ASSERT_TRUE(own);
    EXPECT_EQ(integer((*own)[0].rows[0], 2), 4);
    transaction->reset();
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{0, 0, 0}));
    ASSERT_TRUE(once(*database_, Call(add_large, {std::int64_t{9}})));
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{0, 0, 1}));
}

TEST_F(GatheredLogTest, ARefusedWriteRefusesTheCommit) {
    add_both(0);
    disk_.fail_writes(SQLITE_FULL);
    const auto refused = once(*database_, Call(add_a, {std::int64_t{1}}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "commit-unknown");
    disk_.fail_writes(SQLITE_OK);
    add_both(2);
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 2, 0}));
    database_.reset();
    database_ = SqliteDatabase::open(options_).value();
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 2, 0}));
}

TEST_F(GatheredLogTest, SaysThatThereIsNoSuchVfs) {
    SqliteOptions options;
    options.path = directory_.file("other.db");
    options.vfs = "no-such-vfs";
    const auto opened = SqliteDatabase::open(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), "open-failed");
    EXPECT_EQ(opened.error().message(), "there is no VFS no-such-vfs");
}

}  // namespace
}  // namespace rushproof::sqlite
