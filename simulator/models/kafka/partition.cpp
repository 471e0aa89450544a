#include "simulator/models/kafka/partition.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace rushproof::simulator {

namespace {

// What a broker remembers of a session.
constexpr std::size_t batches_max = 5;

}  // namespace

Result<KafkaAppended> KafkaPartition::append(KafkaProducer producer, std::int64_t sequence,
                                             std::vector<KafkaRecord> records) {
    RP_ASSERT(!records.empty());
    const auto count = static_cast<std::int64_t>(records.size());
    if (producer.id >= 0 && mistake_ != KafkaMistake::ignores_sequences) {
        Session& session = sessions_[producer.id];
        if (producer.epoch < session.epoch) {
            return failure(ErrorKind::permanent, "invalid-producer-epoch",
                           "a newer producer has this id");
        }
        if (producer.epoch > session.epoch) { session = Session{producer.epoch, {}, 0}; }
        for (const Batch& batch : session.batches) {
            if (batch.sequence == sequence && batch.count == count) {
                return KafkaAppended{.offset = batch.offset, .duplicate = true};
            }
        }
        if (sequence != session.next) {
            return failure(ErrorKind::retryable, "out-of-order-sequence",
                           "a batch before this one is missing");
        }
        session.next = sequence + count;
        session.batches.push_back({sequence, count, end()});
        if (session.batches.size() > batches_max) { session.batches.pop_front(); }
    }
    const std::int64_t offset = end();
    for (KafkaRecord& record : records) {
        records_.push_back(std::make_shared<const KafkaRecord>(std::move(record)));
    }
    return KafkaAppended{.offset = offset, .duplicate = false};
}

void KafkaPartition::commit_up_to(std::int64_t offset) {
    high_watermark_ = std::max(high_watermark_, std::min(offset, end()));
}

Result<std::vector<KafkaFetched>> KafkaPartition::fetch(std::int64_t offset,
                                                        std::size_t limit) const {
    if (offset < 0 || offset > end()) {
        return failure(ErrorKind::permanent, "offset-out-of-range",
                       "the log has no offset " + std::to_string(offset));
    }
    std::vector<KafkaFetched> fetched;
    for (std::int64_t at = offset; at < high_watermark_ && fetched.size() < limit; ++at) {
        fetched.push_back({at, records_[static_cast<std::size_t>(at)]});
    }
    return fetched;
}

std::size_t KafkaPartition::truncate(std::int64_t new_end) {
    const auto gone = static_cast<std::size_t>(end() - new_end);
    records_.resize(static_cast<std::size_t>(new_end));
    high_watermark_ = std::min(high_watermark_, new_end);
    synced_ = std::min(synced_, new_end);
    for (auto& [id, session] : sessions_) {
        while (!session.batches.empty() && session.batches.back().offset >= new_end) {
            session.next = session.batches.back().sequence;
            session.batches.pop_back();
        }
    }
    return gone;
}

std::size_t KafkaPartition::change_leader() { return truncate(high_watermark_); }

std::size_t KafkaPartition::lose_power() { return truncate(synced_); }

}  // namespace rushproof::simulator
