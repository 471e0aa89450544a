// Goal: whenever the power goes, every acknowledged commit survives, every refused one is absent,
// and every other one is there whole or not at all.
// Method: a database on a disk that loses power at a random step, again and again, each life going
// on from what survived the last.  Two controls: on a disk that ignores syncs the same search must
// find losses, and a failed sync must really be able to end either way.
// Other seeds: --gtest_random_seed=N.
#include <gtest/gtest.h>

#include <set>

#include "core/real/sqlite/tests/fixture.hpp"
#include "core/real/sqlite/tests/unreliable_disk.hpp"

namespace rushproof::sqlite {
namespace {

using Syncs = UnreliableDisk::Syncs;

const std::vector<Migration> schema = {
    {1, "entry.tables",
     "CREATE TABLE entry(number INTEGER PRIMARY KEY, parts INTEGER, body BLOB);"
     "CREATE TABLE part(number INTEGER, part INTEGER, PRIMARY KEY(number, part)) WITHOUT ROWID;"
     "CREATE TABLE total(entries INTEGER); INSERT INTO total VALUES (0)",
     ""}};
const Statement add_entry{"entry.add", "INSERT INTO entry VALUES ($1, $2, zeroblob($3))", ""};
const Statement add_part{"entry.add_part", "INSERT INTO part VALUES ($1, $2)", ""};
const Statement count_entry{"entry.count", "UPDATE total SET entries = entries + 1", ""};
const Statement list_entries{"entry.list", "SELECT number FROM entry", ""};
const Statement count_torn{
    "entry.count_torn",
    "SELECT (SELECT count(*) FROM entry WHERE parts <> "
    "            (SELECT count(*) FROM part WHERE part.number = entry.number)) "
    "     + (SELECT count(*) FROM part WHERE number NOT IN (SELECT number FROM entry)) "
    "     + (SELECT entries <> (SELECT count(*) FROM entry) FROM total)",
    ""};
const Statement check_integrity{"entry.check_integrity", "PRAGMA integrity_check", ""};

// The real disk only stores what the unreliable one shows, so memory will do.
std::filesystem::path fast_directory() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
}

// Several lives of one database.
class Lives {
public:
    Lives(std::uint64_t seed, Syncs syncs)
        : random_(keyed_stream(seed, "power-loss")), disk_("unreliable", syncs) {
        options_.path = directory_.file("entries.db");
        options_.vfs = "unreliable";
        options_.readers = 1;
        options_.checkpoint_pages = 16;
    }

    // From start to power loss; says what was wrong with what the last life left, if anything.
    std::string live() {
        // Every fourth life may already end while it opens and recovers.
        const bool early = random_.below(4) == 0;
        if (early) disk_.lose_power_after(1 + random_.below(30));
        std::string wrong = start();
        if (wrong.empty() && database_) {
            if (!early) disk_.lose_power_after(1 + random_.below(300));
            while (disk_.has_power() && wrong.empty()) wrong = act();
        }
        database_.reset();
        disk_.restart(random_);
        return wrong;
    }

    std::size_t acknowledged() const { return acknowledged_.size(); }
    int unknown_kept() const { return unknown_kept_; }
    int unknown_lost() const { return unknown_lost_; }

private:
    std::string start() {
        auto opened = SqliteDatabase::open(options_);
        if (opened) {
            database_ = *std::move(opened);
            if (const auto applied = database_->apply("entry", schema); applied) return verify();
        }
        return disk_.has_power() ? "the database does not open" : "";
    }

    std::string verify() {
        const auto found = read();
        if (!found) return disk_.has_power() ? found.error().message() : "";
        if (text((*found)[2].rows[0], 0) != "ok") return text((*found)[2].rows[0], 0);
        if (integer((*found)[1].rows[0], 0) != 0) return "a transaction is there in part";
        std::set<std::int64_t> present;
        for (const Row& row : (*found)[0].rows) present.insert(integer(row, 0));
        for (const std::int64_t number : unknown_) {
            const bool kept = present.contains(number);
            if (kept) acknowledged_.insert(number);
            ++(kept ? unknown_kept_ : unknown_lost_);
        }
        unknown_.clear();
        for (const std::int64_t number : acknowledged_) {
            if (!present.contains(number)) return "lost " + std::to_string(number);
        }
        return present.size() == acknowledged_.size() ? "" : "a refused transaction is there";
    }

    Result<std::vector<Rows>> read() {
        RP_TRY(const auto transaction, begin(*database_, Access::read_only));
        return commit(*transaction,
                      {Call(list_entries, {}), Call(count_torn, {}), Call(check_integrity, {})});
    }

    std::string act() {
        if (random_.below(12) == 0) {
            database_.reset();
            return start();
        }
        auto transaction = begin(*database_);
        if (!transaction) return disk_.has_power() ? transaction.error().message() : "";
        const std::int64_t number = ++last_number_;
        const std::int64_t parts = random_.between(1, 6);
        std::vector<Call> calls{Call(add_entry, {number, parts, random_.between(0, 12'000)})};
        for (std::int64_t part = 0; part < parts; ++part) {
            calls.emplace_back(add_part, Row{number, part});
        }
        const bool changes_its_mind = random_.below(5) == 0;
        if (!execute(**transaction, std::move(calls)) || changes_its_mind) return "";
        const auto committed = commit(**transaction, {Call(count_entry, {})});
        if (committed) {
            acknowledged_.insert(number);
        } else if (committed.error().kind() == ErrorKind::unknown_outcome) {
            unknown_.insert(number);
        }
        return "";
    }

    RandomStream random_;
    TemporaryDirectory directory_{fast_directory()};
    UnreliableDisk disk_;
    SqliteOptions options_;
    std::unique_ptr<SqliteDatabase> database_;
    std::int64_t last_number_ = 0;
    std::set<std::int64_t> acknowledged_;
    std::set<std::int64_t> unknown_;
    int unknown_kept_ = 0;
    int unknown_lost_ = 0;
};

constexpr int lives_per_seed = 20;

std::uint64_t first_seed() {
    const int chosen = GTEST_FLAG_GET(random_seed);
    return static_cast<std::uint64_t>(chosen) * 1'000;
}

TEST(PowerLoss, LosesNothingAcknowledgedAtAThousandPoints) {
    std::size_t acknowledged = 0;
    int unknown_kept = 0;
    int unknown_lost = 0;
    for (std::uint64_t seed = first_seed(); seed < first_seed() + 50; ++seed) {
        Lives lives(seed, Syncs::obeyed);
        for (int life = 0; life < lives_per_seed; ++life) {
            ASSERT_EQ(lives.live(), "") << "seed " << seed << ", life " << life;
        }
        acknowledged += lives.acknowledged();
        unknown_kept += lives.unknown_kept();
        unknown_lost += lives.unknown_lost();
    }
    RecordProperty("acknowledged", static_cast<int>(acknowledged));
    RecordProperty("unknown_kept", unknown_kept);
    RecordProperty("unknown_lost", unknown_lost);
    EXPECT_GT(acknowledged, 5'000u);
    EXPECT_GT(unknown_kept, 0);
    EXPECT_GT(unknown_lost, 0);
}

// Without syncs, as with synchronous=OFF, the same search must find what it looks for.
TEST(PowerLoss, FindsLossesOnADiskThatIgnoresSyncs) {
    int losing_seeds = 0;
    for (std::uint64_t seed = first_seed(); seed < first_seed() + 10; ++seed) {
        Lives lives(seed, Syncs::ignored);
        for (int life = 0; life < lives_per_seed; ++life) {
            if (lives.live().empty()) continue;
            ++losing_seeds;
            break;
        }
    }
    EXPECT_GE(losing_seeds, 9);
}

class FailingCommit : public testing::Test {
protected:
    void SetUp() override {
        options_.path = directory_.file("entries.db");
        options_.vfs = "unreliable";
        database_ = SqliteDatabase::open(options_).value();
        ASSERT_TRUE(database_->apply("entry", schema));
        ASSERT_TRUE(once(*database_, add(1)));
    }
    static Call add(std::int64_t number) {
        return Call(add_entry, {number, std::int64_t{0}, std::int64_t{0}});
    }
    static std::size_t entries(Database& database) {
        return once(database, Call(list_entries, {}), Access::read_only).value().rows.size();
    }
    // What a process would find that starts after this one was killed now.
    std::size_t entries_after_a_crash() {
        SqliteOptions options;
        options.path = directory_.file("copy.db");
        std::filesystem::copy_file(options_.path, options.path);
        std::filesystem::copy_file(options_.path + "-wal", options.path + "-wal");
        const std::size_t count = entries(*SqliteDatabase::open(options).value());
        std::filesystem::remove(options.path);
        return count;
    }
    void expect_unknown(std::int64_t number) {
        const auto committed = once(*database_, add(number));
        ASSERT_FALSE(committed);
        EXPECT_EQ(committed.error().kind(), ErrorKind::unknown_outcome);
        EXPECT_EQ(committed.error().code(), "commit-unknown");
    }

    UnreliableDisk disk_{"unreliable", Syncs::obeyed};
    TemporaryDirectory directory_;
    SqliteOptions options_;
    std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(FailingCommit, AFailedSyncMayEndEitherWay) {
    disk_.fail_syncs(SQLITE_IOERR_FSYNC);
    expect_unknown(2);
    EXPECT_EQ(entries(*database_), 1u) << "this process sees it rolled back";
    EXPECT_EQ(entries_after_a_crash(), 2u) << "but a crash would bring it back";
    disk_.fail_syncs(SQLITE_OK);
    ASSERT_TRUE(once(*database_, add(3)));
    EXPECT_EQ(entries(*database_), 2u);
    EXPECT_EQ(entries_after_a_crash(), 2u) << "until another commit has overwritten it";
}

TEST_F(FailingCommit, AFullDiskIsUnknownAndHeals) {
    disk_.fail_writes(SQLITE_FULL);
    expect_unknown(2);
    disk_.fail_writes(SQLITE_OK);
    ASSERT_TRUE(once(*database_, add(2)));
    EXPECT_EQ(entries(*database_), 2u);
}

}  // namespace
}  // namespace rushproof::sqlite
