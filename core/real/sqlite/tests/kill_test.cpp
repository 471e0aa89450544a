// Goal: after kill -9 at any moment nothing acknowledged is lost and nothing un-begun appears, and
// the next process can own the file at once.
// Method: a child commits numbered rows and writes each acknowledged number to a pipe; the parent
// kills it after a random number of them and a random moment more, and reads the file.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "core/base/keyed_random.hpp"
#include "core/real/sqlite/tests/fixture.hpp"

namespace rushproof::sqlite {
namespace {

const std::vector<Migration> schema = {
    {1, "row.table", "CREATE TABLE row(number INTEGER PRIMARY KEY)", ""}};
const Statement add_row{"row.add", "INSERT INTO row VALUES ($1)", ""};
const Statement read_range{"row.range", "SELECT count(*), coalesce(max(number), 0) FROM row", ""};

std::unique_ptr<SqliteDatabase> open(const std::string& path) {
    SqliteOptions options;
    options.path = path;
    options.checkpoint_pages = 8;
    auto opened = SqliteDatabase::open(options);
    if (!opened || !(*opened)->apply("row", schema)) return nullptr;
    return *std::move(opened);
}

// The child: only leaves by force or by failure.
[[noreturn]] void commit_for_ever(const std::string& path, std::int64_t first, int pipe) {
    const auto database = open(path);
    for (std::int64_t number = first; database; ++number) {
        if (!once(*database, Call(add_row, {number}))) break;
        if (write(pipe, &number, sizeof number) != sizeof number) break;
    }
    _exit(1);
}

// The last number that can be read before `enough` of them are there or the pipe closes.
std::int64_t read_acknowledged(int pipe, std::uint64_t enough, std::int64_t last) {
    for (std::uint64_t count = 0; count < enough; ++count) {
        std::int64_t number = 0;
        if (read(pipe, &number, sizeof number) != sizeof number) break;
        last = number;
    }
    return last;
}

TEST(Kill, LosesNothingAcknowledged) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("rows.db");
    RandomStream random = keyed_stream(1, "kill");
    std::int64_t last = 0;
    for (int round = 0; round < 50; ++round) {
        SCOPED_TRACE(round);
        std::array<int, 2> ends{};
        ASSERT_EQ(pipe(ends.data()), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) commit_for_ever(path, last + 1, ends[1]);
        close(ends[1]);
        std::int64_t acknowledged = read_acknowledged(ends[0], random.below(20), last);
        const timespec moment{0, random.between(0, 1'000'000)};
        ppoll(nullptr, 0, &moment, nullptr);
        kill(child, SIGKILL);
        acknowledged = read_acknowledged(ends[0], UINT64_MAX, acknowledged);
        close(ends[0]);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";

        const auto database = open(path);
        ASSERT_NE(database, nullptr);
        const auto range = once(*database, Call(read_range, {}), Access::read_only);
        ASSERT_TRUE(range);
        last = integer(range->rows[0], 1);
        EXPECT_EQ(integer(range->rows[0], 0), last) << "a row is missing in the middle";
        EXPECT_GE(last, acknowledged);
        EXPECT_LE(last, acknowledged + 1);
    }
    EXPECT_GT(last, 100);
}

}  // namespace
}  // namespace rushproof::sqlite
