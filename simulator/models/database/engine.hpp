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

    void connect(ModelBackend& backend) { backends_.push_back(&backend); }
    void disconnect(ModelBackend& backend);

    std::uint64_t commit_number() const { return commit_number_; }
    std::uint64_t next_incarnation() { return ++incarnations_; }
    std::int64_t next_number(Table& table);

    // A commit is append_commit, then the flush, then make_visible; all of `slots` are owned by the
    // committing transaction, which has no snapshot any more.  No record: nothing was written.
    std::optional<std::size_t> append_commit(const std::vector<Slot*>& slots);
    void make_visible(std::size_t record, const std::vector<Slot*>& slots);

    void crash(std::size_t unflushed_kept);
    std::size_t unflushed() const { return log_.size() - flushed_; }
    std::size_t stored_versions() const;

private:
    void sever_backends();
    void replay(LogRecord& record);
    void vacuum();

    std::shared_ptr<const ModelOptions> options_;
    std::vector<std::unique_ptr<Table>> tables_;
    std::vector<StatementModel> statements_;
    std::vector<ModelBackend*> backends_;
    std::uint64_t commit_number_ = 0;
    std::uint64_t incarnations_ = 0;
    std::vector<LogRecord> log_;
    std::size_t flushed_ = 0;  // records
    std::vector<std::pair<Table*, std::int64_t>> sequences_to_log_;
    // Slots with a superseded version, and the commit that superseded it.
    std::deque<std::pair<std::uint64_t, Slot*>> vacuum_queue_;
    ModelMetrics metrics_;
};

}  // namespace rushproof::simulator
