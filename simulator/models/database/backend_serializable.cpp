// What a SERIALIZABLE transaction tells about its reads and writes.
#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

namespace {

ReadTarget index_target(const Table& table, std::size_t index, std::string value) {
    ReadTarget target;
    target.table = &table;
    target.part = ReadTarget::primary_key + static_cast<std::int32_t>(index);
    target.value = std::move(value);
    return target;
}

ReadTarget version_target(const Slot& slot, const Version& version) {
    ReadTarget target;
    target.table = slot.table;
    target.part = ReadTarget::version;
    target.value = slot.key->bytes();
    target.number = version.visible_since;
    return target;
}

}  // namespace

Result<void> ModelBackend::note_reads(Table& table, const RowFilter& filter) {
    if (serializable_ == nullptr) { return {}; }
    SerializableManager& manager = engine_->serializable();
    const std::optional<std::size_t> index = table.index_for(filter);
    ReadTarget target;
    target.table = &table;
    if (index) { target = index_target(table, *index, table.value_of(filter)); }
    manager.read(*serializable_, target);
    const Snapshot seen = snapshot();
    for (const Slot* slot : table.considered(filter)) {
        if (serializable_->doomed()) { return dependency_failure(); }
        const Version* version = slot->visible(seen);
        if (version != nullptr && version->writer == nullptr) {
            manager.read(*serializable_, version_target(*slot, *version));
        }
        if (!note_missed(*slot, seen, index, target.value)) { return dependency_failure(); }
    }
    return {};
}

// Whoever wrote what the snapshot does not show.
bool ModelBackend::note_missed(const Slot& slot, const Snapshot& seen,
                               std::optional<std::size_t> index, const std::string& value) {
    const std::size_t unseen = slot.first_unseen(seen);
    const auto is_found = [&](const Version& version) {
        return !index || slot.table->index_value(*index, *version.row) == value;
    };
    const bool stops_here =
        unseen > 0 && !slot.versions[unseen - 1].deleted && is_found(slot.versions[unseen - 1]);
    for (std::size_t i = unseen; i < slot.versions.size(); ++i) {
        if (stops_here) { return note_missed(slot.versions[i]); }
        if (is_found(slot.versions[i]) && !note_missed(slot.versions[i])) { return false; }
    }
    return true;
}

bool ModelBackend::note_missed(const Version& version) {
    if (engine_->makes(ModelMistake::dependency_missed)) { return true; }
    SerializableManager& manager = engine_->serializable();
    SerializableTransaction* writer = version.writer != nullptr
                                          ? version.writer->serializable()
                                          : manager.writer_of(version.visible_since);
    return writer == nullptr || manager.missed(*serializable_, *writer);
}

Result<void> ModelBackend::note_insert(const Table& table, const Row& row) {
    if (serializable_ == nullptr || note_index_entries(table, row)) { return {}; }
    return dependency_failure();
}

Result<void> ModelBackend::note_update(const Slot& slot) {
    if (serializable_ == nullptr) { return {}; }
    const Version& written = slot.versions.back();
    const Version& before = slot.versions[slot.versions.size() - 2];
    ReadTarget target = version_target(slot, before);
    if (before.writer != nullptr) { target.number = 0; }
    if (!engine_->serializable().write(*serializable_, target, false)) {
        return dependency_failure();
    }
    for (std::size_t i = 1; i < slot.table->indexes(); ++i) {
        if (slot.table->index_value(i, *before.row) != slot.table->index_value(i, *written.row)) {
            return note_insert(*slot.table, *written.row);
        }
    }
    return {};
}

bool ModelBackend::note_index_entries(const Table& table, const Row& row) {
    SerializableManager& manager = engine_->serializable();
    for (std::size_t i = 0; i < table.indexes(); ++i) {
        const ReadTarget target = index_target(table, i, table.index_value(i, row));
        if (!manager.write(*serializable_, target, world_->indexes_are_one_page)) { return false; }
    }
    return true;
}

tl::unexpected<Error> ModelBackend::dependency_failure() {
    ++engine_->metrics().conflicts;
    return failure(ErrorKind::retryable, "serialization-failure",
                   "could not serialize access due to read/write dependencies among "
                   "transactions (40001)");
}

}  // namespace rushproof::simulator
