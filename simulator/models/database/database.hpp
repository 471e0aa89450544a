// A PostgreSQL stand-in for virtual time: in-memory MVCC tables, row locks and a write-ahead log.
// README.md says what it promises and where it differs from the original.
//
// Single-threaded and deterministic: everything runs on the executor of the caller's coroutines,
// which must outlive the database or its crash().  It never decides anything at random.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"
#include "core/ports/model_transaction.hpp"

namespace rushproof::simulator {

class ModelBackend;
class ModelEngine;

// What the database takes from the world around it.
struct ModelOptions {
    std::function<WallTime()> wall;     // its host's wall clock; now() of a transaction
    std::function<Duration()> elapsed;  // virtual time since the start of the run; stamps commits
    // Awaited by a commit between writing its log record and becoming visible.  A crash meanwhile
    // loses the commit, unless crash() is told to keep it.  When absent: no time passes.
    std::function<Task<void>()> flush;
    // Lets time pass; only CommitFate::applied_later needs it.
    std::function<Task<void>(Duration)> sleep;
};

// What becomes of a COMMIT and of its answer.
enum class CommitOutcome : std::uint8_t {
    normal,
    applied_unanswered,  // committed (or failed), but the answer is lost
    never_applied,       // lost on the way there: rolled back at once
    applied_later,       // arrives after `delay`; until then the transaction keeps its locks
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
};

struct CommittedRow {
    Row row;
    Duration
        committed_at;  // when the commit that wrote it became visible, as ModelOptions::elapsed
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

    // Permanent "statement-failed" for isolation levels that are not modelled (serializable).
    // `route` is the caller's business.
    Result<void> begin(TransactionOptions options = {});
    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls);
    // ok: durable and visible.  Every fate but normal answers "commit-unknown" (unknown outcome)
    // and loses the connection.
    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last = {}, CommitFate fate = {});
    void rollback();

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

    // The server dies and recovers in one instant: all sessions lose their connection, calls that
    // wait complete with "connection-lost" (on their executor, if that still runs), and the tables
    // are rebuilt from the log.  Everything acknowledged survives.  Of the commits that were being
    // flushed the first `unflushed_kept` survive as well: a real disk may have them or not.
    void crash(std::size_t unflushed_kept = 0);
    std::size_t unflushed() const;

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
