// An engine that follows another one's log.
#include "core/base/assert.hpp"
#include "simulator/models/database/backend.hpp"
#include "simulator/models/database/engine.hpp"

namespace rushproof::simulator {

void ModelEngine::follow(const ModelEngine& primary) {
    primary_ = &primary;
    read_only_ = true;
}

std::size_t ModelEngine::behind() const {
    return primary_ == nullptr ? 0 : primary_->flushed_ - replayed_;
}

std::size_t ModelEngine::replay_primary(std::size_t commits) {
    const std::size_t count = std::min(commits, behind());
    for (std::size_t i = 0; i < count; ++i) {
        const LogRecord& record = primary_->log_[replayed_++];
        if (!record.visible) { undated_.push_back(log_.size()); }
        apply(record);
    }
    return count;
}

// The record becomes one of its own, so that it can crash, and be followed, itself.
void ModelEngine::apply(const LogRecord& record) {
    LogRecord own;
    own.committed_at = record.visible ? record.committed_at : elapsed();
    own.visible = true;
    ++commit_number_;
    for (const LogRecord::Write& write : record.writes) {
        Table& written = table(write.table->definition().name);
        Slot& slot = written.slot(written.key_of(*write.row));
        const Version* before = slot.newest(nullptr);
        Version version;
        version.row = write.row;
        version.incarnation =
            before != nullptr && !before->deleted ? before->incarnation : next_incarnation();
        version.deleted = write.deleted;
        version.visible_since = commit_number_;
        version.committed_at = own.committed_at;
        written.add(slot, std::move(version));
        queue_vacuum(slot);
        own.writes.push_back({&written, write.row, write.deleted});
    }
    for (const auto& [sequence, logged] : record.sequences) {
        Table& numbered = table(sequence->definition().name);
        numbered.sequence = {logged, logged};
        own.sequences.emplace_back(&numbered, logged);
    }
    log_.push_back(std::move(own));
    flushed_ = log_.size();
    vacuum();
}

std::vector<Row> ModelEngine::not_replayed(std::string_view name) const {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < behind(); ++i) {
        for (const LogRecord::Write& write : primary_->log_[replayed_ + i].writes) {
            if (write.table->definition().name == name) { rows.push_back(*write.row); }
        }
    }
    return rows;
}

void ModelEngine::cancel_conflicts() {
    const std::vector<ModelBackend*> backends = backends_;
    for (ModelBackend* backend : backends) { backend->cancel_for_recovery(); }
}

// What was replayed before it was visible on the primary became so there later, or does here, now.
void ModelEngine::date_replayed() {
    for (const std::size_t index : std::exchange(undated_, {})) {
        const LogRecord& there = primary_->log_[index];
        log_[index].committed_at = there.visible ? there.committed_at : elapsed();
        for (const LogRecord::Write& write : log_[index].writes) {
            Slot& slot = write.table->slot(write.table->key_of(*write.row));
            for (Version& version : slot.versions) {
                if (version.row == write.row) { version.committed_at = log_[index].committed_at; }
            }
            write.table->erase_if_unused(slot);
        }
    }
}

void ModelEngine::promote() {
    RP_ASSERT(standby());
    date_replayed();
    primary_ = nullptr;
    read_only_ = false;
}

}  // namespace rushproof::simulator
