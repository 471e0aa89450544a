// The embedded engine behind core/ports/database.hpp: one SQLite file, in WAL mode with
// synchronous=FULL, owned by one process.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof {

namespace sqlite {
class GatheredLog;
class Lane;
class OwnerLock;
}  // namespace sqlite

struct SqliteOptions {
    std::string path;
    // Threads, and so transactions at once, for read-only transactions.
    std::size_t readers = 2;
    // Transactions that may wait for their turn, counted apart for read-write and read-only ones.
    std::size_t waiting_max = 1024;
    // How long to wait for a foreign program, such as the sqlite3 shell, that holds the file.
    Duration lock_wait = std::chrono::seconds(1);
    // The write-ahead log is copied into the file whenever it has grown by this many pages; what
    // was written often is copied once.
    int checkpoint_pages = 4000;
    // What transaction_time() reads when a transaction begins; empty means the system's clock.
    // Called by several threads at once.
    std::function<WallTime()> wall_clock;
    // A registered SQLite VFS; empty means the default one.
    std::string vfs;
};

// One writer thread grants read-write transactions one at a time, first come, first served; a few
// reader threads grant read-only ones, each on the snapshot of its first call.  Every isolation
// level is serializable and every route leads to the one file.
//
// Any number of coroutines on any executors may use one database at once; each is resumed on its
// own executor.  Destroy the database before its callers' execution contexts (one whose run()
// returned for lack of work may go first); transactions may outlive the database.
//
// A transaction begins with its first call, in the same hop: begin itself is always ok, and what
// the port lets it answer ("unavailable", "pool-exhausted", "deadline-exceeded") the first call
// does. A Context's deadline (on std::chrono::steady_clock) bounds the wait for the transaction's
// turn, and afterwards the time that it may idle between calls: past it, the engine rolls it back,
// and execute and commit answer retryable "deadline-exceeded"; once the database is closing,
// retryable "unavailable".
//
// A column declared TIMESTAMP is read as WallTime; it is stored as INTEGER microseconds.  An
// expression has no declared type, so select the column itself.  Arrays are bound as JSON text, for
// json_each($1).
class SqliteDatabase final : public Database {
public:
    // Creates the file when it is missing.  Errors, all permanent: "database-in-use" (another
    // process owns the file, or this one already does), "open-failed".
    static Result<std::unique_ptr<SqliteDatabase>> open(SqliteOptions options);

    // Finishes the calls that it accepted, answers whoever waits for a turn "unavailable", rolls
    // back what is left open, and folds the write-ahead log into the file.
    ~SqliteDatabase() override;
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options = {}) override;

    // Brings the tables of `schema` (a role's name) up to date; blocks, so call it before serving.
    // Error: permanent "schema-newer" when the file has seen a later migration than the last one
    // given, else that of the step that failed; the steps before it stay applied.
    Result<void> apply(std::string_view schema, const std::vector<Migration>& migrations);

private:
    SqliteDatabase(SqliteOptions options, std::unique_ptr<sqlite::OwnerLock> owner,
                   std::unique_ptr<sqlite::GatheredLog> log, std::shared_ptr<sqlite::Lane> writer,
                   std::shared_ptr<sqlite::Lane> readers);

    SqliteOptions options_;
    std::unique_ptr<sqlite::OwnerLock> owner_;
    std::unique_ptr<sqlite::GatheredLog> log_;
    std::shared_ptr<sqlite::Lane> writer_;
    std::shared_ptr<sqlite::Lane> readers_;
};

}  // namespace rushproof
