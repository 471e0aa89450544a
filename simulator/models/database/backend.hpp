// The server's side of one connection: its transaction, its locks and its place in the queues.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "simulator/models/database/engine.hpp"
#include "simulator/models/database/locks.hpp"

namespace rushproof::simulator {

class ModelBackend final : public ModelTransaction {
public:
    // What became of a connection that is gone.
    enum class Gone : std::uint8_t { lost, administrator, too_many };
    explicit ModelBackend(Gone how) : locks_(0), gone_(how) {}
    explicit ModelBackend(ModelEngine& engine);
    ModelBackend(const ModelBackend&) = delete;
    ModelBackend& operator=(const ModelBackend&) = delete;
    ~ModelBackend() override { terminate(); }

    // `self` keeps the backend alive while its coroutine is suspended.
    using Self = std::shared_ptr<ModelBackend>;
    Result<void> begin(TransactionOptions options);
    static Task<Result<std::vector<Rows>>> execute(Self self, std::vector<Call> calls);
    static Task<Result<std::vector<Rows>>> commit(Self self, std::vector<Call> last);
    static Task<Result<std::vector<Rows>>> commit_unanswered(Self self, std::vector<Call> last,
                                                             CommitFate fate);
    void rollback();
    // The connection is gone.  A transaction is rolled back, unless its commit is
    // in the log.
    void terminate();
    // pg_terminate_backend: a commit in its flush is completed and answered first.
    void shut_down();
    // Of a standby: its snapshot is too old.
    void cancel_for_recovery();
    // pg_cancel_backend: ends the wait of a statement.
    void cancel();
    // The server is gone: nothing is given back.
    void sever();

    bool connected() const { return engine_ != nullptr; }
    // Of its transaction, in order of the first row lock; 0 before that.
    std::uint64_t number() const { return number_; }
    SerializableTransaction* serializable() const { return serializable_; }
    const std::optional<std::uint64_t>& snapshot_number() const { return snapshot_number_; }
    // Whom pg_blocking_pids would name.
    std::vector<std::uint64_t> blockers() const;
    LockOwner& locks() { return locks_; }
    const LockOwner& locks() const { return locks_; }

    WallTime now() const override { return now_; }
    Task<Result<std::vector<Row>>> select(std::string_view table, RowFilter filter) override;
    Task<Result<std::vector<Row>>> select_for_update(std::string_view table, RowFilter filter,
                                                     LockWait wait, std::size_t limit) override;
    Task<Result<std::vector<Row>>> select_for(RowLock lock, std::string_view table,
                                              RowFilter filter, LockWait wait,
                                              std::size_t limit) override;
    Task<Result<std::vector<Row>>> update(std::string_view table, RowFilter filter,
                                          std::function<void(Row&)> change) override;
    Task<Result<std::vector<Row>>> insert(std::string_view table, Row row,
                                          bool or_nothing) override;
    Task<Result<std::vector<Row>>> remove(std::string_view table, RowFilter filter) override;
    Task<Result<void>> lock_table(std::string_view table, TableLock mode, LockWait wait) override;
    Task<Result<bool>> advisory_lock(AdvisoryLock lock, LockWait wait) override;
    bool advisory_unlock(AdvisoryLock lock) override;
    std::int64_t next_number(std::string_view table) override;
    void set_local(LocalSetting setting, Duration value) override;

private:
    enum class State : std::uint8_t { idle, active, failed, committing };
    enum class Claim : std::uint8_t { taken, gone, busy, conflict };
    // What to do with each row that a statement has locked.
    struct Intent {
        enum class Kind : std::uint8_t { lock, change, remove };
        Kind kind = Kind::lock;
        RowLock lock = RowLock::update;
        std::function<void(Row&)> change;
        LockWait wait = LockWait::block;
        std::size_t limit = SIZE_MAX;
    };

    static Task<void> commit_later(Self self, std::vector<Call> last, Duration delay);
    // Says once why.
    tl::unexpected<Error> connection_lost();
    Result<void> usable();
    Result<void> writable() const;
    Result<void> disk_has_room() const;
    void begin_statement();
    Task<Result<void>> finish();
    // Unless it has one.
    void take_snapshot();
    void complete_commit();
    void commit_serializable();
    void abort();
    void end_transaction();

    Snapshot snapshot() const { return {*snapshot_number_, this, command_}; }
    bool repeatable() const { return options_.isolation != Isolation::read_committed; }
    Task<Result<std::vector<Row>>> modify(std::string_view table, RowFilter filter, Intent intent);
    Row apply(Slot& slot, const Intent& intent);
    Claim claim(const Candidate& candidate, const RowFilter& filter, RowLock mode);
    Task<Result<Claim>> wait_and_claim(const Candidate& candidate, const RowFilter& filter,
                                       RowLock mode);
    void hold(Slot& slot, RowLock mode);
    bool holds(const Slot& slot) const;

    // For SERIALIZABLE; nothing at other levels.
    Result<void> note_reads(Table& table, const RowFilter& filter);
    bool note_missed(const Slot& slot, const Snapshot& snapshot, std::optional<std::size_t> index,
                     const std::string& value);
    bool note_missed(const Version& version);
    Result<void> note_insert(const Table& table, const Row& row);
    // Of the own version that was just added.
    Result<void> note_update(const Slot& slot);
    bool note_index_entries(const Table& table, const Row& row);
    tl::unexpected<Error> dependency_failure();

    // The table's lock that a statement takes by itself, and its snapshot.  False: it has to wait,
    // by wait_for_table().
    bool open_table(Table& table, LockMode mode);
    Task<Result<void>> wait_for_table(Table& table, LockMode mode);
    Task<Result<void>> wait_for_lock(Lock& lock, LockMode mode, bool session);
    Task<Result<void>> wait_for_end_of(ModelBackend& other);
    LockManager::Patience patience() const;
    void end_wait(WaitEnd end);
    Result<void> waited(WaitEnd end, Duration since);
    tl::unexpected<Error> serialization_failure();

    ModelEngine* engine_ = nullptr;  // null once disconnected
    std::shared_ptr<const ModelOptions> world_;
    LockOwner locks_;
    State state_ = State::idle;
    bool shut_down_ = false;
    bool recovery_conflict_ = false;
    Gone gone_ = Gone::lost;
    TransactionOptions options_;
    WallTime now_{};
    std::uint64_t number_ = 0;  // of the transaction, from its first row lock on
    std::uint64_t command_ = 0;
    std::optional<std::uint64_t> snapshot_number_;
    SerializableTransaction* serializable_ = nullptr;
    bool locks_table_ = false;    // the statement under way is LOCK TABLE
    std::vector<Slot*> held_;     // in order of locking
    std::size_t log_record_ = 0;  // while committing
    Duration statement_began_{};
    Duration lock_timeout_{};
    Duration statement_timeout_{};
};

}  // namespace rushproof::simulator
