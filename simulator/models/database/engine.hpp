// What all sessions share: tables, the log, commit numbers, recovery.
#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/models/database/database.hpp"
#include "simulator/models/database/serializable.hpp"
#include "simulator/models/database/table.hpp"

namespace rushproof::simulator {

// The write-ahead log in order of appending, which may differ from the order of becoming visible:
// two commits can be in their flushes at once.  (They cannot have written the same row.)
struct LogRecord {
    struct Write {
        Table* table;
        std::shared_ptr<const Row> row;
        bool deleted;
    };
    std::vector<Write> writes;
    std::vector<std::pair<Table*, std::int64_t>> sequences;  // what Sequence::logged became
    Duration committed_at{};
    bool visible = false;
};

class ModelEngine {
public:
    ModelEngine(ModelSchema schema, ModelOptions options);
    ModelEngine(const ModelEngine&) = delete;
    ModelEngine& operator=(const ModelEngine&) = delete;
    ~ModelEngine();

    Table& table(std::string_view name);
    // Null when there is none.
    const StatementFunction* model_of(const Statement& statement) const;
    // Shared, because a call that is suspended in a hook may outlive the engine.
    const std::shared_ptr<const ModelOptions>& options() const { return options_; }
    Duration elapsed() const { return options_->elapsed ? options_->elapsed() : Duration{}; }
    ModelMetrics& metrics() { return metrics_; }
    LockManager& locks() { return locks_; }
    SerializableManager& serializable() { return serializable_; }
    SerializableManager::Numbers transaction_numbers() const;

    void connect(ModelBackend& backend);
    void disconnect(ModelBackend& backend);

    std::uint64_t commit_number() const { return commit_number_; }
    std::uint64_t next_incarnation() { return ++incarnations_; }
    std::uint64_t next_transaction() { return ++transactions_; }
    std::uint64_t next_session() { return ++sessions_; }
    std::int64_t next_number(Table& table);

    // A commit is append_commit, then the flush, then make_visible; `slots` are those that the
    // committing transaction holds; it has no snapshot any more.  No record: nothing was written.
    std::optional<std::size_t> append_commit(const ModelBackend& writer,
                                             const std::vector<Slot*>& slots);
    void make_visible(std::size_t record, const ModelBackend& writer,
                      const std::vector<Slot*>& slots);
    void mark_flushed(std::size_t record);

    // Returns how many acknowledged commits were lost.
    std::size_t crash(std::size_t unflushed_kept);
    // As if nothing had ever been written here.
    void start_over();
    std::size_t unflushed() const { return log_.size() - flushed_; }
    std::size_t flushed() const { return flushed_; }
    std::size_t stored_versions() const;
    // Without synchronous_commit: the log up to here, a while later.
    void flush_later();

    bool full() const { return backends_.size() >= options_->connections_max; }
    bool read_only() const { return read_only_; }
    void set_read_only(bool read_only) { read_only_ = read_only; }
    bool disk_full() const { return disk_full_; }
    void set_disk_full(bool full) { disk_full_ = full; }
    Duration lock_timeout() const { return lock_timeout_.value_or(options_->lock_timeout); }
    void set_lock_timeout(std::optional<Duration> timeout) { lock_timeout_ = timeout; }
    bool makes(ModelMistake mistake) const { return options_->mistake == mistake; }

    // As a standby (standby.cpp).
    void follow(const ModelEngine& primary);
    bool standby() const { return primary_ != nullptr; }
    std::size_t replay_primary(std::size_t commits);
    std::size_t behind() const;
    std::size_t replayed() const { return replayed_; }
    std::vector<Row> not_replayed(std::string_view table) const;
    void cancel_conflicts();
    void promote();

private:
    std::vector<std::optional<LockRequest::Suspended>> sever_backends();
    std::vector<std::optional<LockRequest::Suspended>> forget_everything();
    void replay(LogRecord& record);
    void date_replayed();
    void vacuum();
    void queue_vacuum(Slot& slot);
    void apply(const LogRecord& record);

    std::shared_ptr<const ModelOptions> options_;
    std::vector<std::unique_ptr<Table>> tables_;
    std::vector<StatementModel> statements_;
    LockManager locks_;
    SerializableManager serializable_;
    std::vector<ModelBackend*> backends_;
    std::uint64_t commit_number_ = 0;
    std::uint64_t incarnations_ = 0;
    std::uint64_t transactions_ = 0;
    std::uint64_t sessions_ = 0;
    std::vector<LogRecord> log_;
    std::size_t flushed_ = 0;  // records
    std::vector<std::pair<Table*, std::int64_t>> sequences_to_log_;
    // Slots with a superseded version, and the commit that superseded it.
    std::deque<std::pair<std::uint64_t, Slot*>> vacuum_queue_;
    ModelMetrics metrics_;
    bool read_only_ = false;
    bool disk_full_ = false;
    const ModelEngine* primary_ = nullptr;  // whom it follows
    std::size_t replayed_ = 0;              // records of the primary's log
    std::vector<std::size_t> undated_;      // those that nobody saw there when they were replayed
    std::optional<Duration> lock_timeout_;
    std::uint64_t crashes_ = 0;
    std::shared_ptr<ModelEngine*> self_;  // whether a timer still finds it
};

}  // namespace rushproof::simulator
