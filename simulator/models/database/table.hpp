// One table: versions of rows by primary key, and who holds or awaits which key.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/ports/model_transaction.hpp"

namespace rushproof::simulator {

class LockWaiter;
class ModelBackend;
class Table;

struct Version {
    std::shared_ptr<const Row> row;  // of a deletion: what was deleted
    // Equal in all versions of one inserted row.  A row that was deleted and inserted again under
    // the same key is another row.
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

// Everything about one primary key.  Lives as long as it has a version, an owner, a waiter or a
// place in the vacuum queue.
struct Slot {
    explicit Slot(Table& in) : table(&in) {}

    const Version* visible(const Snapshot& snapshot) const;
    // The newest version that `reader` may build on: its own, or the newest committed one.
    const Version* newest(const ModelBackend* reader) const;
    std::size_t first_uncommitted() const;
    bool uncommitted() const { return !versions.empty() && versions.back().writer != nullptr; }

    Table* table;
    const Key* key = nullptr;
    std::vector<Version> versions;     // oldest first; uncommitted ones last
    ModelBackend* owner = nullptr;     // holds the row lock; every uncommitted version is its own
    std::vector<LockWaiter*> waiters;  // first come, first served
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

    void add(Slot& slot, Version version);
    // Leaves only the last of the writer's versions, and that one committed.
    void commit(Slot& slot, std::uint64_t commit_number, Duration at);
    void roll_back(Slot& slot);
    // Drops what no snapshot as old as `horizon` or younger can see.
    void vacuum(Slot& slot, std::uint64_t horizon);
    // The slot has no owner any more: its first waiter gets a try, or it may go.
    void offer(Slot& slot);
    void erase_if_unused(Slot& slot);

    // For recovery.
    void clear();
    void restore(const Version& version);

    // Identity numbers are handed out outside transactions.  `logged` runs ahead, as in PostgreSQL,
    // so that a crash skips numbers rather than repeating them.
    struct Sequence {
        std::int64_t last = 0;
        std::int64_t logged = 0;
    };
    Sequence sequence;

private:
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
