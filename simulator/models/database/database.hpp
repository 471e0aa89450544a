// A PostgreSQL stand-in for virtual time: in-memory MVCC tables, row locks and a write-ahead log.
// README.md says what it promises and where it differs from the original.
//
// Single-threaded and deterministic: everything runs on the executor of the caller's coroutines,
// which must outlive the database or its crash().  It never decides anything at random.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"
#include "core/ports/model_transaction.hpp"

namespace rushproof::simulator {

class ModelBackend;
class ModelEngine;

// Mistakes that a model could make, one at a time, to show that the conformance suite finds them.
enum class ModelMistake : std::uint8_t {
    none,
    filter_not_checked_again,    // after waiting for a row
    repeatable_read_overwrites,  // what it cannot see
    sharers_do_not_stop_writers,
    skip_locked_waits,
    insert_ignores_uncommitted_key,
    dependency_missed,  // SERIALIZABLE: of a read on a newer write
    session_lock_ends_with_transaction,
};

// What the database takes from the world around it.
struct ModelOptions {
    std::function<WallTime()> wall;     // its host's wall clock; now() of a transaction
    std::function<Duration()> elapsed;  // virtual time since the start of the run; stamps commits
    // Awaited by a commit between writing its log record and becoming visible.  A crash meanwhile
    // loses the commit, unless crash() is told to keep it.  When absent: no time passes.
    std::function<Task<void>()> flush;
    // Called when the flushed log has grown: standbys may have it.
    std::function<void()> flushed;
    // Awaited by a synchronous commit that is flushed, with its position(), before it becomes
    // visible.  When absent: no standby is waited for.
    std::function<Task<void>(LogPosition)> replicated;
    // Lets time pass; only CommitFate::applied_later needs it.
    std::function<Task<void>(Duration)> sleep;
    // Runs a call after that time, for deadlock_timeout and the timeouts.  When absent: deadlocks
    // are found at once, nothing times out.
    std::function<void(Duration, std::function<void()>)> after;
    // How long a wait lasts before it is looked at for a deadlock; the one that looks fails.
    Duration deadlock_timeout = std::chrono::seconds(1);
    // Of every transaction that does not set its own; zero: none.
    Duration lock_timeout{};
    Duration statement_timeout{};
    // SERIALIZABLE: an insert meets every overlapping reader that used an index
    // of the table, as on PostgreSQL while the index is one page; otherwise only
    // who looked for those very values.
    bool indexes_are_one_page = false;
    // False: commits are answered before they are flushed, and flushed wal_writer_delay later.
    bool synchronous_commit = true;
    Duration wal_writer_delay = std::chrono::milliseconds(200);
    // Sessions beyond that are refused with "unavailable" (53300).
    std::size_t connections_max = SIZE_MAX;
    ModelMistake mistake = ModelMistake::none;
};

// What becomes of a COMMIT and of its answer.
enum class CommitOutcome : std::uint8_t {
    normal,
    applied_unanswered,  // committed (or failed), but the answer is lost
    never_applied,       // lost on the way there: rolled back at once
    applied_later,       // arrives after `delay`; until then the transaction keeps its
                         // locks
};
struct CommitFate {
    CommitOutcome outcome = CommitOutcome::normal;
    Duration delay{};
};

struct ModelMetrics {
    std::uint64_t commits = 0;
    std::uint64_t aborts = 0;
    std::uint64_t lock_waits = 0;
    Duration lock_wait_time{};
    std::uint64_t deadlocks = 0;
    std::uint64_t conflicts = 0;  // serialization failures
    std::uint64_t lock_timeouts = 0;
    std::uint64_t without_room = 0;  // statements that a full disk refused
};

// The SQLSTATE of an error of the model: five characters.
std::string_view sqlstate(const Error& error);

struct CommittedRow {
    Row row;
    Duration committed_at;  // when the commit that wrote it became visible, as
                            // ModelOptions::elapsed
};

// One connection: one transaction after the other, one call under way.  Errors are those of
// Transaction (core/ports/database.hpp).  After any error the transaction is rolled back and its
// locks are free; what remains is rollback().  A session whose database crashed, or which lost its
// connection in a commit, answers "connection-lost" (retryable) from then on.
//
// Destroying it rolls back, releases its locks and wakes their waiters; a call that is still
// suspended then completes with "connection-lost".  A commit that is being flushed is completed.
class ModelSession {
public:
    explicit ModelSession(std::shared_ptr<ModelBackend> backend);
    ModelSession(const ModelSession&) = delete;
    ModelSession& operator=(const ModelSession&) = delete;
    ~ModelSession();

    // `route` is the caller's business.
    Result<void> begin(TransactionOptions options = {});
    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls);
    // ok: durable and visible.  Every fate but normal answers "commit-unknown"
    // (unknown outcome) and loses the connection.
    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last = {}, CommitFate fate = {});
    void rollback();

    // pg_terminate_backend: the call under way, or the next one, answers
    // "connection-lost" (57P01); a commit in its flush is answered first.
    void terminate();
    // pg_cancel_backend: a statement that waits for a lock fails with "query-canceled" (57014).
    void cancel();

    std::uint64_t number() const;
    // The sessions that pg_blocking_pids would name, while a call waits for a lock.
    std::vector<std::uint64_t> blockers() const;

private:
    std::shared_ptr<ModelBackend> backend_;
};

class ModelDatabase {
public:
    ModelDatabase(ModelSchema schema, ModelOptions options);
    ModelDatabase(const ModelDatabase&) = delete;
    ModelDatabase& operator=(const ModelDatabase&) = delete;
    // Calls that wait for a lock are destroyed, not completed.
    ~ModelDatabase();

    std::unique_ptr<ModelSession> open_session();

    // A standby of `primary`, which must live until promote() or longer.  It is read-only (25006)
    // and empty until it replays.
    ModelDatabase(ModelSchema schema, ModelOptions options, const ModelDatabase& primary);
    // Replays the next commits of the primary's log, in its order, which is not always the order in
    // which they became visible there; returns how many there were.  Only flushed ones arrive.
    std::size_t replay(std::size_t commits = SIZE_MAX);
    // How many flushed commits of the primary it has not replayed.
    std::size_t behind() const;
    // In the primary's log, and in its own: it begins with the same commits.
    LogPosition replayed() const;
    // The rows of that table in those commits, as they were written: what a promotion now loses.
    std::vector<Row> not_replayed(std::string_view table) const;
    // Transactions on a standby whose snapshot is older than what it has replayed fail with
    // "serialization-failure": canceling statement due to conflict with recovery (40001).
    void cancel_conflicts();
    // Goes on as a primary with what it has replayed.  The old one is not told.
    void promote();
    // Throws away all that it has, and every session, and becomes an empty standby of `primary`.
    void follow(const ModelDatabase& primary);
    bool standby() const;

    // From now on writes and row locks fail (25006), as on a demoted primary.
    void fence();
    // Inserts and updates fail with "disk-full" (53100, retryable).
    void set_disk_full(bool full);
    // Of the transactions that begin from now on; without a value that of the options.
    void set_lock_timeout(std::optional<Duration> timeout);

    // The server dies and recovers in one instant: all sessions lose their connection, calls that
    // wait complete with "connection-lost" (on their executor, if that still runs), and the tables
    // are rebuilt from the log.  Of the commits that were not flushed the first `unflushed_kept`
    // survive as well: a real disk may have them or not.  What was acknowledged survives, unless
    // synchronous_commit is off: then the last of them may vanish.  Returns how many did.
    std::size_t crash(std::size_t unflushed_kept = 0);
    std::size_t unflushed() const;
    // The end of the log, and of its part that is flushed.
    LogPosition position() const;
    LogPosition flushed() const;

    // For harness and audits; a service must not see them.  In primary key order.
    using RowVisitor = std::function<void(const Row& row, Duration committed_at)>;
    void visit_committed(std::string_view table, const RowVisitor& visitor) const;
    std::vector<CommittedRow> committed_rows(std::string_view table) const;
    const ModelMetrics& metrics() const;
    // Of all rows together; more than one per row while somebody may still look at the older ones.
    std::size_t stored_versions() const;

private:
    std::unique_ptr<ModelEngine> engine_;
};

}  // namespace rushproof::simulator
