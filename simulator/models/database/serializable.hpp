// SERIALIZABLE as PostgreSQL has it: snapshots, and the read-write dependencies between overlapping
// transactions (serializable snapshot isolation, predicate.c).  A transaction with a dependency in
// and one out, whose far end committed first, may stand in a cycle: one of them fails.  So there
// are refusals that no cycle needed, and no cycle without a refusal.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rushproof::simulator {

// What was read, and what a write touches.
struct ReadTarget {
    static constexpr std::int32_t whole_table = -2;
    static constexpr std::int32_t version = -1;
    static constexpr std::int32_t primary_key = 0;  // secondary indexes follow
    const void* table = nullptr;                    // compared for equality only
    std::int32_t part = whole_table;
    std::string value;         // of a version its key, of an index what was looked up
    std::uint64_t number = 0;  // of the version: the commit that wrote it
    friend bool operator==(const ReadTarget&, const ReadTarget&) = default;
};

class SerializableTransaction {
public:
    bool read_only() const { return read_only_; }
    bool doomed() const { return doomed_; }

private:
    friend class SerializableManager;
    using Others = std::vector<SerializableTransaction*>;

    bool read_only_ = false;
    bool declared_read_only_ = false;
    bool doomed_ = false;
    bool prepared_ = false;
    bool committed_ = false;
    bool wrote_ = false;
    bool safe_ = false;  // a read-only one that can be in no cycle
    bool unsafe_ = false;
    bool conflict_out_ = false;  // to one that committed before this one did
    std::uint64_t prepare_number_ = 0;
    std::uint64_t commit_number_ = 0;
    std::uint64_t last_commit_before_snapshot_ = 0;
    std::uint64_t earliest_out_conflict_commit_ = 0;
    std::uint64_t oldest_transaction_ = 0;  // that its snapshot saw under way
    std::uint64_t finished_before_ = 0;     // no transaction number from here on existed
    std::uint64_t visible_since_ = 0;       // its commit, for versions
    Others in_;                             // who read what this one wrote
    Others out_;                            // who wrote what this one read
    Others possibly_unsafe_;
    std::vector<ReadTarget> reads_;
};

class SerializableManager {
public:
    // The smallest transaction number under way, and the next one.
    struct Numbers {
        std::uint64_t oldest;
        std::uint64_t next;
    };
    // With the transaction's snapshot.  Null: it can be in no cycle.
    SerializableTransaction* begin(bool read_only, Numbers numbers);

    // False: the transaction must fail.
    bool read(SerializableTransaction& reader, ReadTarget target);
    // The reader did not see what that transaction wrote.
    bool missed(SerializableTransaction& reader, SerializableTransaction& writer);
    // Null: not a serializable one, or too old to matter.
    SerializableTransaction* writer_of(std::uint64_t visible_since);
    // `index_wide`: an insert meets everybody who used the index, as on PostgreSQL's small tables.
    bool write(SerializableTransaction& writer, const ReadTarget& target, bool index_wide);

    bool prepare(SerializableTransaction& transaction);
    void commit(SerializableTransaction& transaction, std::uint64_t visible_since, Numbers numbers);
    void roll_back(SerializableTransaction& transaction, Numbers numbers);
    void clear();

private:
    using Transaction = SerializableTransaction;

    // Whether the dependency from reader to writer, which `acting` found, leaves
    // it alive.
    bool allow(Transaction& reader, Transaction& writer, const Transaction& acting);
    static bool dangerous(const Transaction& reader, const Transaction& writer);
    bool flag(Transaction& reader, Transaction& writer, const Transaction& acting);
    void finish(Transaction& transaction, bool committed, Numbers numbers);
    void release_edges(Transaction& transaction, bool committed);
    void tell_readers(Transaction& transaction, bool committed);
    void forget_finished();

    std::vector<std::unique_ptr<Transaction>> transactions_;  // in order of their snapshots
    std::map<std::uint64_t, Transaction*> writers_;           // by the commit that wrote versions
    std::uint64_t last_commit_ = 1;
};

}  // namespace rushproof::simulator
