// The server's side of one connection: its transaction, its locks and its place in the queues.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "simulator/models/database/engine.hpp"
#include "simulator/models/database/lock_waiter.hpp"

namespace rushproof::simulator {

class ModelBackend final : public ModelTransaction {
public:
    ModelBackend() = default;  // a connection that was lost
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
    // The connection is gone.  A transaction is rolled back, unless its commit is in the log.
    void terminate();
    // The server is gone: nothing is given back.
    void sever();

    bool connected() const { return engine_ != nullptr; }
    const std::optional<std::uint64_t>& snapshot_number() const { return snapshot_number_; }
    LockWaiter* waiter() const { return waiter_; }
    void set_waiter(LockWaiter* waiter) { waiter_ = waiter; }

    WallTime now() const override { return now_; }
    Task<Result<std::vector<Row>>> select(std::string_view table, RowFilter filter) override;
    Task<Result<std::vector<Row>>> select_for_update(std::string_view table, RowFilter filter,
                                                     LockWait wait, std::size_t limit) override;
    Task<Result<std::vector<Row>>> update(std::string_view table, RowFilter filter,
                                          std::function<void(Row&)> change) override;
    Task<Result<std::vector<Row>>> insert(std::string_view table, Row row,
                                          bool or_nothing) override;
    Task<Result<std::vector<Row>>> remove(std::string_view table, RowFilter filter) override;

private:
    enum class State : std::uint8_t { idle, active, failed, committing };
    enum class Claim : std::uint8_t { taken, gone, busy, conflict };
    // What to do with each row that a statement has locked.
    struct Intent {
        enum class Kind : std::uint8_t { lock, change, remove };
        Kind kind = Kind::lock;
        std::function<void(Row&)> change;
        LockWait wait = LockWait::block;
        std::size_t limit = SIZE_MAX;
    };

    static Task<void> commit_later(Self self, std::vector<Call> last, Duration delay);
    Result<void> usable() const;
    Result<void> writable() const;
    void begin_statement();
    Task<void> finish();
    void complete_commit();
    void abort();
    void end_transaction();

    Snapshot snapshot() const { return {*snapshot_number_, this, command_}; }
    bool repeatable() const { return options_.isolation != Isolation::read_committed; }
    Task<Result<std::vector<Row>>> modify(std::string_view table, RowFilter filter, Intent intent);
    Row apply(Slot& slot, const Intent& intent);
    Claim claim(const Candidate& candidate, const RowFilter& filter);
    void own(Slot& slot);
    // Waits until the slot's owner has ended its transaction.
    Task<Result<void>> wait(LockWaiter& waiter);
    bool closes_cycle(const Slot& slot) const;
    tl::unexpected<Error> serialization_failure();

    ModelEngine* engine_ = nullptr;  // null once disconnected
    std::shared_ptr<const ModelOptions> world_;
    State state_ = State::idle;
    TransactionOptions options_;
    WallTime now_{};
    std::uint64_t command_ = 0;
    std::optional<std::uint64_t> snapshot_number_;
    std::vector<Slot*> owned_;    // in order of locking
    std::size_t log_record_ = 0;  // while committing
    LockWaiter* waiter_ = nullptr;
};

}  // namespace rushproof::simulator
