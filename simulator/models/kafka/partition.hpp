// The log of one partition, as its leader keeps it.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace rushproof::simulator {

struct KafkaRecord {
    std::string key;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string value;
};

// The session of an idempotent producer; id -1: of one that is not.
struct KafkaProducer {
    std::int64_t id = -1;
    std::int32_t epoch = 0;
};

struct KafkaAppended {
    std::int64_t offset = 0;  // of the first record of the batch
    bool duplicate = false;   // it was there already
};

struct KafkaFetched {
    std::int64_t offset = 0;
    std::shared_ptr<const KafkaRecord> record;
};

// Mistakes that tests plant, so that the suites show that they would find them.
enum class KafkaMistake : std::uint8_t {
    none,
    ignores_sequences,
    takes_any_generation,
    acknowledges_early,  // before enough replicas have it
};

class KafkaPartition {
public:
    explicit KafkaPartition(KafkaMistake mistake = KafkaMistake::none) : mistake_(mistake) {}

    // A batch: its records get consecutive offsets, and sequences from `sequence` on.  One of the
    // last five batches of the session is known again.  Errors: retryable "out-of-order-sequence"
    // (one before it is missing); permanent "invalid-producer-epoch", of a fenced session.
    Result<KafkaAppended> append(KafkaProducer producer, std::int64_t sequence,
                                 std::vector<KafkaRecord> records);

    // What enough replicas have is committed: only that is fetched.
    std::int64_t high_watermark() const { return high_watermark_; }
    std::int64_t end() const { return static_cast<std::int64_t>(records_.size()); }
    void commit_up_to(std::int64_t offset);

    // Up to `limit` committed records from `offset` on.  Error: permanent "offset-out-of-range".
    Result<std::vector<KafkaFetched>> fetch(std::int64_t offset, std::size_t limit) const;

    // Another replica leads: what was not committed is gone.  -> how many records.
    std::size_t change_leader();
    // fsync, which no produce waits for.
    void sync() { synced_ = end(); }
    // Every replica lost power at once; -> how many records are gone.
    std::size_t lose_power();

private:
    struct Batch {
        std::int64_t sequence;
        std::int64_t count;
        std::int64_t offset;
    };
    struct Session {
        std::int32_t epoch = 0;
        std::deque<Batch> batches;  // the last five
        std::int64_t next = 0;      // sequence
    };

    std::size_t truncate(std::int64_t end);

    KafkaMistake mistake_;
    std::vector<std::shared_ptr<const KafkaRecord>> records_;
    std::int64_t high_watermark_ = 0;
    std::int64_t synced_ = 0;
    std::map<std::int64_t, Session> sessions_;
};

}  // namespace rushproof::simulator
