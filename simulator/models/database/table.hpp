// One table: versions of rows by primary key, and who holds or awaits which key.
#pragma once
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/model_transaction.hpp"
#include "simulator/models/database/locks.hpp"

namespace rushproof::simulator {

class ModelBackend;
class Table;

struct Version {
    std::shared_ptr<const Row> row;  // of a deletion: what was deleted
    // Equal in all versions of one inserted row.  A row that was deleted and
    // inserted again under the same key is another row.
    std::uint64_t incarnation = 0;
    bool deleted = false;
    ModelBackend* writer = nullptr;   // null once committed
    std::uint64_t command = 0;        // of the writer's transaction
    std::uint64_t visible_since = 0;  // commit number
    Duration committed_at{};
};

// A primary key, encoded so that comparing bytes compares keys.  Most comparisons end at its head.
class Key {
public:
    explicit Key(std::string bytes);

    std::uint64_t head() const { return head_; }
    const std::string& bytes() const { return bytes_; }
    friend bool operator==(const Key& a, const Key& b) {
        return a.head_ == b.head_ && a.bytes_ == b.bytes_;
    }
    friend bool operator<(const Key& a, const Key& b) {
        return a.head_ != b.head_ ? a.head_ < b.head_ : a.bytes_ < b.bytes_;
    }

private:
    std::string bytes_;
    std::uint64_t head_ = 0;
};

// What one statement can see.
struct Snapshot {
    std::uint64_t commit_number = 0;
    const ModelBackend* reader = nullptr;
    std::uint64_t command = 0;  // sees the reader's own writes of earlier commands
};

// A transaction that has locked a row.
struct RowHolder {
    ModelBackend* backend;
    RowLock mode;
};

// Everything about one primary key.  Lives as long as it has a version, a
// holder or a place in the vacuum queue.
struct Slot {
    explicit Slot(Table& in) : table(&in) {}

    const Version* visible(const Snapshot& snapshot) const;
    // The newest version that `reader` may build on: its own, or the newest committed one.
    const Version* newest(const ModelBackend* reader) const;
    std::size_t first_uncommitted() const;
    // The first version that is newer than what the snapshot shows.
    std::size_t first_unseen(const Snapshot& snapshot) const;
    // Whose uncommitted versions it has; null when there are none.
    ModelBackend* writer() const { return versions.empty() ? nullptr : versions.back().writer; }
    void release(const ModelBackend* holder);

    Table* table;
    const Key* key = nullptr;
    std::vector<Version> versions;  // oldest first; uncommitted ones last
    // Every uncommitted version belongs to one of them.
    boost::container::small_vector<RowHolder, 1> holders;
    std::uint64_t vacuums_queued = 0;
};

// A row that a statement's snapshot shows and its filter accepts.
struct Candidate {
    Slot* slot;
    std::shared_ptr<const Row> row;
    std::uint64_t incarnation;
};

bool matches(const RowFilter& filter, const Row& row);

class Table {
public:
    explicit Table(ModelTable definition);
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    const ModelTable& definition() const { return definition_; }
    Key key_of(const Row& row) const;
    bool key_complete(const Row& row) const;  // no NULL in it
    bool same_key(const Row& a, const Row& b) const;
    Slot& slot(Key key);
    const std::map<Key, Slot>& slots() const { return slots_; }

    // In primary key order.
    std::vector<Candidate> find(const RowFilter& filter, const Snapshot& snapshot);
    // Everything that find() looks at.
    std::vector<Slot*> considered(const RowFilter& filter);

    // Which index serves the filter: 0 is the primary key, none that every row is
    // looked at.
    std::optional<std::size_t> index_for(const RowFilter& filter) const;
    std::size_t indexes() const { return 1 + indexes_.size(); }
    // What the filter looks for, and what the row is found under, in that index.
    std::string value_of(const RowFilter& filter) const;
    std::string index_value(std::size_t index, const Row& row) const;

    void add(Slot& slot, Version version);
    // Leaves only the last of the writer's versions, and that one committed.
    void commit(Slot& slot, std::uint64_t commit_number, Duration at);
    void roll_back(Slot& slot);
    // Drops what no snapshot as old as `horizon` or younger can see.
    void vacuum(Slot& slot, std::uint64_t horizon);
    void erase_if_unused(Slot& slot);

    // For recovery.
    void clear();
    void restore(const Version& version);

    // Identity numbers are handed out outside transactions.  `logged` runs ahead,
    // as in PostgreSQL, so that a crash skips numbers rather than repeating them.
    struct Sequence {
        std::int64_t last = 0;
        std::int64_t logged = 0;
    };
    Sequence sequence;
    Lock lock;

private:
    template <class Visit>
    void visit(const RowFilter& filter, Visit visit);
    void add_to_indexes(Slot& slot, const Row& row);
    void erase_versions(Slot& slot, std::size_t first, std::size_t last);

    // Ordered by the primary key, whose head is at hand: most slots need not be looked at.
    struct Entry {
        explicit Entry(Slot& indexed) : head(indexed.key->head()), slot(&indexed) {}
        std::uint64_t head;
        Slot* slot;
        friend bool operator<(const Entry& a, const Entry& b) {
            return a.head != b.head ? a.head < b.head : *a.slot->key < *b.slot->key;
        }
    };
    struct Index {
        std::vector<std::size_t> columns;
        std::map<std::string, std::set<Entry>> entries;  // by encoded columns
    };
    ModelTable definition_;
    std::vector<std::size_t> key_columns_;
    std::map<Key, Slot> slots_;
    std::vector<Index> indexes_;
};

}  // namespace rushproof::simulator
