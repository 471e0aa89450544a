#include "simulator/models/database/serializable.hpp"

#include <algorithm>
#include <utility>

namespace rushproof::simulator {

namespace {

using Others = std::vector<SerializableTransaction*>;

bool contains(const Others& others, const SerializableTransaction& transaction) {
    return std::find(others.begin(), others.end(), &transaction) != others.end();
}

void remove(Others& others, const SerializableTransaction& transaction) {
    others.erase(std::remove(others.begin(), others.end(), &transaction), others.end());
}

}  // namespace

SerializableTransaction* SerializableManager::begin(bool read_only, Numbers numbers) {
    Others writing;
    for (const auto& other : transactions_) {
        if (!other->committed_ && !other->declared_read_only_) { writing.push_back(other.get()); }
    }
    if (read_only && writing.empty()) { return nullptr; }
    transactions_.push_back(std::make_unique<Transaction>());
    Transaction& transaction = *transactions_.back();
    transaction.read_only_ = read_only;
    transaction.declared_read_only_ = read_only;
    transaction.last_commit_before_snapshot_ = last_commit_;
    transaction.oldest_transaction_ = numbers.oldest;
    if (read_only) {
        for (Transaction* other : writing) {
            if (other->doomed_) { continue; }
            transaction.possibly_unsafe_.push_back(other);
            other->possibly_unsafe_.push_back(&transaction);
        }
    }
    return &transaction;
}

bool SerializableManager::read(Transaction& reader, ReadTarget target) {
    if (reader.safe_) { return true; }
    if (std::find(reader.reads_.begin(), reader.reads_.end(), target) == reader.reads_.end()) {
        reader.reads_.push_back(std::move(target));
    }
    return !reader.doomed_;
}

SerializableTransaction* SerializableManager::writer_of(std::uint64_t visible_since) {
    const auto found = writers_.find(visible_since);
    return found == writers_.end() ? nullptr : found->second;
}

bool SerializableManager::missed(Transaction& reader, Transaction& writer) {
    if (reader.safe_ || &reader == &writer) { return true; }
    if (reader.doomed_) { return false; }
    if (writer.doomed_) { return true; }
    const bool committed_before_any_harm =
        reader.read_only_ && writer.committed_ &&
        (!writer.conflict_out_ ||
         reader.last_commit_before_snapshot_ < writer.earliest_out_conflict_commit_);
    if (committed_before_any_harm) { return true; }
    return flag(reader, writer, reader);
}

bool SerializableManager::write(Transaction& writer, const ReadTarget& target, bool index_wide) {
    if (writer.doomed_) { return false; }
    writer.wrote_ = true;
    const auto touched_by = [&](const ReadTarget& read) {
        if (read.table != target.table) { return false; }
        if (read.part == ReadTarget::whole_table || read == target) { return true; }
        return index_wide && target.part >= ReadTarget::primary_key && read.part == target.part;
    };
    for (const auto& reader : transactions_) {
        if (reader.get() == &writer || reader->doomed_ || reader->safe_) { continue; }
        const bool overlaps =
            !reader->committed_ || writer.oldest_transaction_ < reader->finished_before_;
        if (!overlaps) { continue; }
        const bool touched = std::any_of(reader->reads_.begin(), reader->reads_.end(), touched_by);
        if (touched && !flag(*reader, writer, writer)) { return false; }
    }
    return true;
}

bool SerializableManager::flag(Transaction& reader, Transaction& writer,
                               const Transaction& acting) {
    if (contains(reader.out_, writer)) { return true; }
    if (!allow(reader, writer, acting)) { return false; }
    reader.out_.push_back(&writer);
    writer.in_.push_back(&reader);
    return true;
}

bool SerializableManager::allow(Transaction& reader, Transaction& writer,
                                const Transaction& acting) {
    if (!dangerous(reader, writer)) { return true; }
    if (&acting == &writer || writer.prepared_) { return false; }
    writer.doomed_ = true;
    return true;
}

// Whether it would complete: in -> pivot -> out, and out was the first to commit.
bool SerializableManager::dangerous(const Transaction& reader, const Transaction& writer) {
    if (writer.committed_ && writer.conflict_out_) { return true; }
    for (const Transaction* far : writer.out_) {
        if (far->prepared_ &&
            (!reader.committed_ || far->prepare_number_ <= reader.commit_number_) &&
            (!writer.committed_ || far->prepare_number_ <= writer.commit_number_) &&
            (!reader.read_only_ || far->prepare_number_ <= reader.last_commit_before_snapshot_)) {
            return true;
        }
    }
    if (!writer.prepared_ || reader.read_only_) { return false; }
    return std::any_of(reader.in_.begin(), reader.in_.end(), [&](const Transaction* near) {
        return !near->doomed_ &&
               (!near->committed_ || near->commit_number_ >= writer.prepare_number_) &&
               (!near->read_only_ || near->last_commit_before_snapshot_ >= writer.prepare_number_);
    });
}

bool SerializableManager::prepare(Transaction& transaction) {
    if (transaction.doomed_) { return false; }
    for (Transaction* pivot : transaction.in_) {
        if (pivot->committed_ || pivot->doomed_) { continue; }
        const bool in_between =
            std::any_of(pivot->in_.begin(), pivot->in_.end(), [&](const Transaction* far) {
                return far == &transaction ||
                       (!far->committed_ && !far->read_only_ && !far->doomed_);
            });
        if (!in_between) { continue; }
        if (pivot->prepared_) { return false; }
        pivot->doomed_ = true;
    }
    transaction.prepare_number_ = ++last_commit_;
    transaction.prepared_ = true;
    return true;
}

void SerializableManager::commit(Transaction& transaction, std::uint64_t visible_since,
                                 Numbers numbers) {
    transaction.committed_ = true;
    transaction.commit_number_ = ++last_commit_;
    if (!transaction.wrote_) { transaction.read_only_ = true; }
    transaction.visible_since_ = visible_since;
    if (transaction.wrote_) { writers_[visible_since] = &transaction; }
    finish(transaction, true, numbers);
}

void SerializableManager::roll_back(Transaction& transaction, Numbers numbers) {
    transaction.doomed_ = true;
    finish(transaction, false, numbers);
}

void SerializableManager::finish(Transaction& transaction, bool committed, Numbers numbers) {
    transaction.finished_before_ = numbers.next;
    release_edges(transaction, committed);
    tell_readers(transaction, committed);
    if (!committed) {
        std::erase_if(transactions_,
                      [&](const auto& other) { return other.get() == &transaction; });
    }
    forget_finished();
}

void SerializableManager::release_edges(Transaction& transaction, bool committed) {
    const Others out = transaction.out_;
    for (Transaction* writer : out) {
        if (committed && !transaction.read_only_ && writer->committed_) {
            if (!transaction.conflict_out_ ||
                writer->prepare_number_ < transaction.earliest_out_conflict_commit_) {
                transaction.earliest_out_conflict_commit_ = writer->prepare_number_;
            }
            transaction.conflict_out_ = true;
        }
        if (!committed || writer->committed_ ||
            writer->last_commit_before_snapshot_ >= last_commit_) {
            remove(transaction.out_, *writer);
            remove(writer->in_, transaction);
        }
    }
    const Others in = transaction.in_;
    for (Transaction* reader : in) {
        if (!committed || reader->committed_ || reader->read_only_) {
            remove(transaction.in_, *reader);
            remove(reader->out_, transaction);
        }
    }
}

// Read-only transactions wait to hear that no writer of their time did harm.
void SerializableManager::tell_readers(Transaction& transaction, bool committed) {
    const Others others = std::exchange(transaction.possibly_unsafe_, {});
    for (Transaction* other : others) { remove(other->possibly_unsafe_, transaction); }
    if (transaction.declared_read_only_) { return; }
    for (Transaction* reader : others) {
        const bool harmful =
            committed && transaction.wrote_ && transaction.conflict_out_ &&
            transaction.earliest_out_conflict_commit_ <= reader->last_commit_before_snapshot_;
        if (harmful) {
            reader->unsafe_ = true;
        } else if (reader->possibly_unsafe_.empty() && !reader->unsafe_) {
            reader->safe_ = true;
            reader->reads_.clear();
            release_edges(*reader, false);
        }
    }
}

void SerializableManager::forget_finished() {
    std::optional<std::uint64_t> oldest;
    for (const auto& transaction : transactions_) {
        if (transaction->committed_) { continue; }
        oldest = std::min(oldest.value_or(UINT64_MAX), transaction->oldest_transaction_);
    }
    for (const auto& transaction : transactions_) {
        if (transaction->committed_ && (!oldest || transaction->finished_before_ <= *oldest)) {
            release_edges(*transaction, false);
            writers_.erase(transaction->visible_since_);
        }
    }
    std::erase_if(transactions_, [&](const auto& transaction) {
        return transaction->committed_ && (!oldest || transaction->finished_before_ <= *oldest);
    });
}

void SerializableManager::clear() {
    transactions_.clear();
    writers_.clear();
}

}  // namespace rushproof::simulator
