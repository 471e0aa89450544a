#include "simulator/models/kafka/group.hpp"

#include <algorithm>
#include <utility>

namespace rushproof::simulator {

namespace {

tl::unexpected<Error> refused(std::string code, std::string message) {
    return failure(ErrorKind::retryable, std::move(code), std::move(message));
}

}  // namespace

KafkaGroup::KafkaGroup(std::int32_t partitions, Duration initial_delay, KafkaMistake mistake)
    : partitions_(partitions), initial_delay_(initial_delay), mistake_(mistake) {}

Result<std::string> KafkaGroup::join(const std::string& member, KafkaMemberOptions options,
                                     std::set<std::int32_t> owned, MonotonicTime now) {
    std::string id = member;
    if (id.empty()) {
        id = "member-" + std::to_string(next_member_++);
    } else if (!members_.contains(id)) {
        return refused("unknown-member", id + " is no member of the group");
    }
    if (!preparing_) { begin_rebalance(now); }
    Member& joining = members_[id];
    joining.options = options;
    joining.owned = std::move(owned);
    joining.heard = now;
    joining.joined = true;
    complete_when_joined(now);
    return id;
}

void KafkaGroup::begin_rebalance(MonotonicTime now) {
    preparing_ = true;
    not_before_ = members_.empty() ? now + initial_delay_ : now;
    Duration longest{};
    for (auto& [id, member] : members_) {
        member.joined = false;
        longest = std::max(longest, member.options.rebalance_timeout);
    }
    deadline_ = std::max(now + longest, not_before_);
}

void KafkaGroup::complete_when_joined(MonotonicTime now) {
    const bool all = std::all_of(members_.begin(), members_.end(),
                                 [](const auto& m) { return m.second.joined; });
    if (preparing_ && all && now >= not_before_) { complete(now); }
}

void KafkaGroup::complete(MonotonicTime now) {
    std::erase_if(members_, [](const auto& member) { return !member.second.joined; });
    preparing_ = false;
    ++generation_;
    assign();
    for (auto& [id, member] : members_) { member.heard = now; }
    agreed_ = members_;
}

// Balanced, and everybody keeps what it has as far as that goes.
void KafkaGroup::assign() {
    if (members_.empty()) { return; }
    std::vector<std::pair<std::int64_t, std::string>> order;  // who has most first
    std::set<std::int32_t> claimed;
    for (auto& [id, member] : members_) {
        std::erase_if(member.owned, [&](std::int32_t p) { return !claimed.insert(p).second; });
        member.assigned.clear();
        order.emplace_back(-static_cast<std::int64_t>(member.owned.size()), id);
    }
    std::sort(order.begin(), order.end());
    const auto count = static_cast<std::int64_t>(members_.size());
    const std::int64_t least = partitions_ / count;
    std::int64_t extra = partitions_ % count;
    std::map<std::string, std::int64_t> quota;
    for (const auto& [owned, id] : order) { quota[id] = least + (extra-- > 0 ? 1 : 0); }
    for (const auto& [owned, id] : order) {
        Member& member = members_.find(id)->second;
        for (const std::int32_t partition : member.owned) {
            if (static_cast<std::int64_t>(member.assigned.size()) == quota[id]) { break; }
            member.assigned.insert(partition);
        }
    }
    // Those that somebody has to give up first stay without a reader until it joins again.
    std::vector<std::int32_t> free;
    for (std::int32_t partition = 0; partition < partitions_; ++partition) {
        if (!claimed.contains(partition)) { free.push_back(partition); }
    }
    for (const auto& [owned, id] : order) {
        Member& member = members_.find(id)->second;
        while (!free.empty() && static_cast<std::int64_t>(member.assigned.size()) < quota[id]) {
            member.assigned.insert(free.back());
            free.pop_back();
        }
    }
}

std::optional<KafkaAssignment> KafkaGroup::assignment(std::string_view member) const {
    const auto found = members_.find(member);
    if (preparing_ || found == members_.end()) { return std::nullopt; }
    return KafkaAssignment{.generation = generation_, .partitions = found->second.assigned};
}

Result<void> KafkaGroup::check(std::string_view member, std::int32_t generation) const {
    if (mistake_ == KafkaMistake::takes_any_generation) { return {}; }
    if (!members_.contains(member)) {
        return refused("unknown-member", std::string(member) + " is no member of the group");
    }
    if (generation != generation_) {
        return refused("illegal-generation",
                       "the group is at generation " + std::to_string(generation_));
    }
    return {};
}

Result<void> KafkaGroup::heartbeat(std::string_view member, std::int32_t generation,
                                   MonotonicTime now) {
    RP_CHECK(check(member, generation));
    if (const auto found = members_.find(member); found != members_.end()) {
        found->second.heard = now;
    }
    if (preparing_) { return refused("rebalance-in-progress", "the group rebalances"); }
    return {};
}

Result<void> KafkaGroup::commit(std::string_view member, std::int32_t generation,
                                const KafkaOffsets& offsets, MonotonicTime now) {
    RP_CHECK(check(member, generation));
    if (const auto found = members_.find(member); found != members_.end()) {
        found->second.heard = now;
    }
    for (const auto& [partition, offset] : offsets) { committed_[partition] = offset; }
    return {};
}

void KafkaGroup::leave(std::string_view member, MonotonicTime now) {
    const auto found = members_.find(member);
    if (found == members_.end()) { return; }
    members_.erase(found);
    if (!preparing_) { begin_rebalance(now); }
    complete_when_joined(now);
}

std::size_t KafkaGroup::drop_members(MonotonicTime now) {
    const std::size_t dropped = members_.size();
    members_.clear();
    begin_rebalance(now);
    complete_when_joined(now);
    return dropped;
}

void KafkaGroup::tick(MonotonicTime now) {
    const auto over = [&](const auto& member) {
        const bool waits = preparing_ && member.second.joined;
        return !waits && member.second.heard + member.second.options.session_timeout <= now;
    };
    if (std::any_of(members_.begin(), members_.end(), over)) {
        std::erase_if(members_, over);
        if (!preparing_) { begin_rebalance(now); }
    }
    complete_when_joined(now);
    if (preparing_ && now >= deadline_) { complete(now); }
}

void KafkaGroup::reload(MonotonicTime now) {
    members_ = agreed_;
    preparing_ = false;
    for (auto& [id, member] : members_) { member.heard = now; }
}

void KafkaGroup::lose_power(MonotonicTime now) {
    committed_ = synced_;
    reload(now);
}

}  // namespace rushproof::simulator
