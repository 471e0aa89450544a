#include "simulator/models/database/engine.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

namespace {

// PostgreSQL logs a sequence once for this many numbers.
constexpr std::int64_t sequence_log_ahead = 32;

}  // namespace

ModelEngine::ModelEngine(ModelSchema schema, ModelOptions options)
    : options_(std::make_shared<const ModelOptions>(std::move(options))),
      statements_(std::move(schema.statements)),
      locks_({options_->after, options_->elapsed, options_->deadlock_timeout}),
      self_(std::make_shared<ModelEngine*>(this)) {
    for (ModelTable& definition : schema.tables) {
        tables_.push_back(std::make_unique<Table>(std::move(definition)));
    }
}

ModelEngine::~ModelEngine() {
    // Suspended calls go last: they hold frames, whose destructors look at their
    // slots.
    const auto waiting = sever_backends();
}

Table& ModelEngine::table(std::string_view name) {
    const auto named = [&](const auto& table) { return table->definition().name == name; };
    const auto found = std::find_if(tables_.begin(), tables_.end(), named);
    RP_ASSERT(found != tables_.end());
    return **found;
}

const StatementFunction* ModelEngine::model_of(const Statement& statement) const {
    for (const StatementModel& model : statements_) {
        if (model.statement == &statement) { return &model.function; }
    }
    return nullptr;
}

void ModelEngine::connect(ModelBackend& backend) {
    backends_.push_back(&backend);
    locks_.connect(backend.locks());
}

void ModelEngine::disconnect(ModelBackend& backend) {
    backends_.erase(std::find(backends_.begin(), backends_.end(), &backend));
}

SerializableManager::Numbers ModelEngine::transaction_numbers() const {
    SerializableManager::Numbers numbers{transactions_ + 1, transactions_ + 1};
    for (const ModelBackend* backend : backends_) {
        if (backend->number() != 0) {
            numbers.oldest = std::min(numbers.oldest, backend->number());
        }
    }
    return numbers;
}

std::int64_t ModelEngine::next_number(Table& table) {
    Table::Sequence& sequence = table.sequence;
    ++sequence.last;
    if (sequence.last > sequence.logged) {
        sequence.logged = sequence.last + sequence_log_ahead;
        sequences_to_log_.emplace_back(&table, sequence.logged);
    }
    return sequence.last;
}

std::optional<std::size_t> ModelEngine::append_commit(const ModelBackend& writer,
                                                      const std::vector<Slot*>& slots) {
    LogRecord record;
    for (const Slot* slot : slots) {
        if (slot->writer() != &writer) { continue; }
        const Version& version = slot->versions.back();
        record.writes.push_back({slot->table, version.row, version.deleted});
    }
    if (record.writes.empty()) { return std::nullopt; }
    record.sequences = std::exchange(sequences_to_log_, {});
    log_.push_back(std::move(record));
    return log_.size() - 1;
}

void ModelEngine::mark_flushed(std::size_t record) {
    if (record < flushed_) { return; }
    flushed_ = record + 1;
    if (options_->flushed) { options_->flushed(); }
}

void ModelEngine::flush_later() {
    RP_ASSERT(options_->after);
    options_->after(options_->wal_writer_delay,
                    [self = std::weak_ptr(self_), crashes = crashes_, record = log_.size() - 1] {
                        const auto engine = self.lock();
                        if (engine && (*engine)->crashes_ == crashes) {
                            (*engine)->mark_flushed(record);
                        }
                    });
}

void ModelEngine::make_visible(std::size_t record, const ModelBackend& writer,
                               const std::vector<Slot*>& slots) {
    log_[record].committed_at = elapsed();
    log_[record].visible = true;
    ++commit_number_;
    for (Slot* slot : slots) {
        if (slot->writer() != &writer) { continue; }
        slot->table->commit(*slot, commit_number_, log_[record].committed_at);
        queue_vacuum(*slot);
    }
    vacuum();
}

// If the newest commit superseded anything there.
void ModelEngine::queue_vacuum(Slot& slot) {
    const bool superseded =
        slot.versions.size() > 1 || (!slot.versions.empty() && slot.versions[0].deleted);
    if (!superseded) { return; }
    ++slot.vacuums_queued;
    vacuum_queue_.emplace_back(commit_number_, &slot);
}

void ModelEngine::vacuum() {
    std::uint64_t horizon = commit_number_;
    for (const ModelBackend* backend : backends_) {
        horizon = std::min(horizon, backend->snapshot_number().value_or(horizon));
    }
    while (!vacuum_queue_.empty() && vacuum_queue_.front().first <= horizon) {
        Slot& slot = *vacuum_queue_.front().second;
        vacuum_queue_.pop_front();
        --slot.vacuums_queued;
        slot.table->vacuum(slot, horizon);
        slot.table->erase_if_unused(slot);
    }
}

std::size_t ModelEngine::stored_versions() const {
    std::size_t count = 0;
    for (const auto& table : tables_) {
        for (const auto& [key, slot] : table->slots()) { count += slot.versions.size(); }
    }
    return count;
}

// The calls that waited.
std::vector<std::optional<LockRequest::Suspended>> ModelEngine::sever_backends() {
    std::vector<std::optional<LockRequest::Suspended>> waiting;
    for (ModelBackend* backend : backends_) {
        LockRequest* request = backend->locks().request;
        if (request != nullptr) {
            waiting.push_back(std::exchange(request->suspended, std::nullopt));
        }
        backend->sever();
    }
    backends_.clear();
    locks_.forget_all();
    serializable_.clear();
    return waiting;
}

// The calls that waited.
std::vector<std::optional<LockRequest::Suspended>> ModelEngine::forget_everything() {
    ++crashes_;
    auto waiting = sever_backends();
    vacuum_queue_.clear();
    sequences_to_log_.clear();
    for (const auto& table : tables_) {
        table->clear();
        table->sequence = {};
        table->lock = {};
    }
    return waiting;
}

void ModelEngine::start_over() {
    auto waiting = forget_everything();
    log_.clear();
    flushed_ = 0;
    replayed_ = 0;
    undated_.clear();
    for (auto& call : waiting) {
        if (call) { call->resume(); }
    }
}

std::size_t ModelEngine::crash(std::size_t unflushed_kept) {
    auto waiting = forget_everything();
    const std::size_t kept = flushed_ + std::min(unflushed_kept, unflushed());
    const auto lost = std::count_if(log_.begin() + static_cast<std::ptrdiff_t>(kept), log_.end(),
                                    [](const LogRecord& record) { return record.visible; });
    log_.resize(kept);
    flushed_ = log_.size();
    for (LogRecord& record : log_) { replay(record); }
    for (auto& call : waiting) {
        if (call) { call->resume(); }
    }
    return static_cast<std::size_t>(lost);
}

void ModelEngine::replay(LogRecord& record) {
    if (!record.visible) {
        record.committed_at = elapsed();
        record.visible = true;
    }
    for (const auto& [table, logged] : record.sequences) { table->sequence = {logged, logged}; }
    for (const LogRecord::Write& write : record.writes) {
        Version version;
        version.row = write.row;
        version.incarnation = next_incarnation();
        version.deleted = write.deleted;
        version.visible_since = commit_number_;
        version.committed_at = record.committed_at;
        write.table->restore(version);
    }
}

}  // namespace rushproof::simulator
