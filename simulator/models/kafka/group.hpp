// A consumer group, as its coordinator sees it: members, generations, and who reads what.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "simulator/models/kafka/partition.hpp"

namespace rushproof::simulator {

struct KafkaMemberOptions {
    Duration session_timeout = std::chrono::seconds(45);
    Duration rebalance_timeout = std::chrono::minutes(5);  // max.poll.interval.ms
};

struct KafkaAssignment {
    std::int32_t generation = 0;
    std::set<std::int32_t> partitions;
    friend bool operator==(const KafkaAssignment&, const KafkaAssignment&) = default;
};

using KafkaOffsets = std::map<std::int32_t, std::int64_t>;  // by partition: the next to read

// Cooperative: a partition that changes hands is first given up by the one, who joins again for
// that, and only then given to the other.  Times are those of the broker's monotonic clock.
class KafkaGroup {
public:
    // `initial_delay`: how long an empty group waits for further members before its first
    // generation.
    KafkaGroup(std::int32_t partitions, Duration initial_delay,
               KafkaMistake mistake = KafkaMistake::none);

    // A new member (empty `member`), or one that joins again with the partitions that it has; ->
    // its id.  Its assignment() is there once every other member has joined again too, or is given
    // up. Error: retryable "unknown-member".
    Result<std::string> join(const std::string& member, KafkaMemberOptions options,
                             std::set<std::int32_t> owned, MonotonicTime now);
    // Nothing while its rebalance is under way, and for who is no member.
    std::optional<KafkaAssignment> assignment(std::string_view member) const;
    bool has_member(std::string_view member) const { return members_.contains(member); }
    std::size_t members() const { return members_.size(); }

    // Errors: retryable "unknown-member", "illegal-generation"; "rebalance-in-progress": it has to
    // join again.
    Result<void> heartbeat(std::string_view member, std::int32_t generation, MonotonicTime now);
    // The offsets of a zombie are refused by its generation: "unknown-member",
    // "illegal-generation".
    Result<void> commit(std::string_view member, std::int32_t generation,
                        const KafkaOffsets& offsets, MonotonicTime now);
    void leave(std::string_view member, MonotonicTime now);

    const KafkaOffsets& committed() const { return committed_; }
    std::int32_t generation() const { return generation_; }

    // Everybody's session ends; -> how many there were.
    std::size_t drop_members(MonotonicTime now);
    // Ends sessions and rebalances whose time is over.
    void tick(MonotonicTime now);

    // Its coordinator died, or another broker is it now: what was last agreed is read from the log,
    // and every session begins anew.
    void reload(MonotonicTime now);
    // The same after a power loss of all: offsets that were not synced are gone.
    void sync() { synced_ = committed_; }
    void lose_power(MonotonicTime now);

private:
    struct Member {
        KafkaMemberOptions options;
        std::set<std::int32_t> owned;  // when it joined
        MonotonicTime heard;
        bool joined = false;  // the rebalance under way
        std::set<std::int32_t> assigned;
    };
    using Members = std::map<std::string, Member, std::less<>>;

    void begin_rebalance(MonotonicTime now);
    void complete_when_joined(MonotonicTime now);
    void complete(MonotonicTime now);
    void assign();
    Result<void> check(std::string_view member, std::int32_t generation) const;

    std::int32_t partitions_;
    Duration initial_delay_;
    KafkaMistake mistake_;
    Members members_;
    std::uint64_t next_member_ = 1;
    std::int32_t generation_ = 0;
    bool preparing_ = false;
    MonotonicTime not_before_{};  // the rebalance under way ends
    MonotonicTime deadline_{};    // and waits for nobody longer
    Members agreed_;              // of the last completed rebalance
    KafkaOffsets committed_;
    KafkaOffsets synced_;
};

}  // namespace rushproof::simulator
