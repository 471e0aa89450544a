#include "simulator/models/database/database.hpp"

#include <utility>

#include "core/base/assert.hpp"
#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

// Every message of the model ends in "(40001)".
std::string_view sqlstate(const Error& error) {
    const std::string_view message = error.message();
    RP_ASSERT(message.size() > 7 && message.back() == ')');
    return message.substr(message.size() - 6, 5);
}

ModelSession::ModelSession(std::shared_ptr<ModelBackend> backend) : backend_(std::move(backend)) {}

ModelSession::~ModelSession() { backend_->terminate(); }

Result<void> ModelSession::begin(TransactionOptions options) { return backend_->begin(options); }

Task<Result<std::vector<Rows>>> ModelSession::execute(std::vector<Call> calls) {
    return ModelBackend::execute(backend_, std::move(calls));
}

Task<Result<std::vector<Rows>>> ModelSession::commit(std::vector<Call> last, CommitFate fate) {
    if (fate.outcome == CommitOutcome::normal) {
        return ModelBackend::commit(backend_, std::move(last));
    }
    auto backend =
        std::exchange(backend_, std::make_shared<ModelBackend>(ModelBackend::Gone::lost));
    return ModelBackend::commit_unanswered(std::move(backend), std::move(last), fate);
}

void ModelSession::rollback() { backend_->rollback(); }

void ModelSession::terminate() { backend_->shut_down(); }

void ModelSession::cancel() { backend_->cancel(); }

std::uint64_t ModelSession::number() const { return backend_->locks().number(); }

std::vector<std::uint64_t> ModelSession::blockers() const { return backend_->blockers(); }

ModelDatabase::ModelDatabase(ModelSchema schema, ModelOptions options)
    : engine_(std::make_unique<ModelEngine>(std::move(schema), std::move(options))) {}

ModelDatabase::ModelDatabase(ModelSchema schema, ModelOptions options, const ModelDatabase& primary)
    : ModelDatabase(std::move(schema), std::move(options)) {
    engine_->follow(*primary.engine_);
}

ModelDatabase::~ModelDatabase() = default;

std::size_t ModelDatabase::replay(std::size_t commits) { return engine_->replay_primary(commits); }

std::size_t ModelDatabase::behind() const { return engine_->behind(); }

std::vector<Row> ModelDatabase::not_replayed(std::string_view table) const {
    return engine_->not_replayed(table);
}

void ModelDatabase::cancel_conflicts() { engine_->cancel_conflicts(); }

LogPosition ModelDatabase::replayed() const { return engine_->replayed(); }

void ModelDatabase::promote() { engine_->promote(); }

void ModelDatabase::follow(const ModelDatabase& primary) {
    engine_->start_over();
    engine_->follow(*primary.engine_);
}

bool ModelDatabase::standby() const { return engine_->standby(); }

void ModelDatabase::fence() { engine_->set_read_only(true); }

void ModelDatabase::set_disk_full(bool full) { engine_->set_disk_full(full); }

void ModelDatabase::set_lock_timeout(std::optional<Duration> timeout) {
    engine_->set_lock_timeout(timeout);
}

std::unique_ptr<ModelSession> ModelDatabase::open_session() {
    return std::make_unique<ModelSession>(
        engine_->full() ? std::make_shared<ModelBackend>(ModelBackend::Gone::too_many)
                        : std::make_shared<ModelBackend>(*engine_));
}

std::size_t ModelDatabase::crash(std::size_t unflushed_kept) {
    return engine_->crash(unflushed_kept);
}

std::size_t ModelDatabase::unflushed() const { return engine_->unflushed(); }

LogPosition ModelDatabase::position() const { return engine_->flushed() + engine_->unflushed(); }

LogPosition ModelDatabase::flushed() const { return engine_->flushed(); }

void ModelDatabase::visit_committed(std::string_view table, const RowVisitor& visitor) const {
    for (const auto& [key, slot] : engine_->table(table).slots()) {
        const Version* version = slot.newest(nullptr);
        if (version != nullptr && !version->deleted) {
            visitor(*version->row, version->committed_at);
        }
    }
}

std::vector<CommittedRow> ModelDatabase::committed_rows(std::string_view table) const {
    std::vector<CommittedRow> result;
    visit_committed(table, [&](const Row& row, Duration at) { result.push_back({row, at}); });
    return result;
}

const ModelMetrics& ModelDatabase::metrics() const { return engine_->metrics(); }

std::size_t ModelDatabase::stored_versions() const { return engine_->stored_versions(); }

}  // namespace rushproof::simulator
