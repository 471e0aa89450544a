#include "simulator/models/database/database.hpp"

#include <utility>

#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

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
    auto backend = std::exchange(backend_, std::make_shared<ModelBackend>());
    return ModelBackend::commit_unanswered(std::move(backend), std::move(last), fate);
}

void ModelSession::rollback() { backend_->rollback(); }

ModelDatabase::ModelDatabase(ModelSchema schema, ModelOptions options)
    : engine_(std::make_unique<ModelEngine>(std::move(schema), std::move(options))) {}

ModelDatabase::~ModelDatabase() = default;

std::unique_ptr<ModelSession> ModelDatabase::open_session() {
    return std::make_unique<ModelSession>(std::make_shared<ModelBackend>(*engine_));
}

void ModelDatabase::crash(std::size_t unflushed_kept) { engine_->crash(unflushed_kept); }

std::size_t ModelDatabase::unflushed() const { return engine_->unflushed(); }

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
