#include "simulator/models/kafka/broker.hpp"

#include <algorithm>

namespace rushproof::simulator {

std::vector<KafkaPartition>& KafkaBroker::topic(const std::string& name) {
    const auto [found, made] = topics_.try_emplace(name);
    if (made) {
        found->second.assign(static_cast<std::size_t>(options_.partitions),
                             KafkaPartition(options_.mistake));
    }
    return found->second;
}

KafkaGroup& KafkaBroker::group(const std::string& name, const std::string& topic) {
    return groups_
        .try_emplace({name, topic}, options_.partitions, options_.initial_rebalance_delay,
                     options_.mistake)
        .first->second;
}

std::int64_t KafkaBroker::lag(const std::string& name, const std::string& topic_name) {
    const auto& partitions = topic(topic_name);
    const KafkaOffsets& committed = group(name, topic_name).committed();
    std::int64_t behind = 0;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        const auto found = committed.find(static_cast<std::int32_t>(i));
        behind += partitions[i].end();
        if (found != committed.end()) { behind -= std::min(found->second, partitions[i].end()); }
    }
    return behind;
}

void KafkaBroker::tick(MonotonicTime now) {
    for (auto& [name, group] : groups_) { group.tick(now); }
}

std::size_t KafkaBroker::drop_members(MonotonicTime now) {
    std::size_t dropped = 0;
    for (auto& [name, group] : groups_) { dropped += group.drop_members(now); }
    return dropped;
}

void KafkaBroker::sync() {
    for (auto& [name, partitions] : topics_) {
        for (auto& partition : partitions) { partition.sync(); }
    }
    for (auto& [name, group] : groups_) { group.sync(); }
}

void KafkaBroker::commit_everything() {
    for (auto& [name, partitions] : topics_) {
        for (auto& partition : partitions) { partition.commit_up_to(partition.end()); }
    }
}

void KafkaBroker::reload(MonotonicTime now) {
    commit_everything();
    for (auto& [name, group] : groups_) { group.reload(now); }
}

std::size_t KafkaBroker::change_leaders(MonotonicTime now) {
    std::size_t lost = 0;
    for (auto& [name, partitions] : topics_) {
        for (auto& partition : partitions) { lost += partition.change_leader(); }
    }
    for (auto& [name, group] : groups_) { group.reload(now); }
    return lost;
}

std::size_t KafkaBroker::lose_power(MonotonicTime now) {
    std::size_t lost = 0;
    for (auto& [name, partitions] : topics_) {
        for (auto& partition : partitions) { lost += partition.lose_power(); }
    }
    for (auto& [name, group] : groups_) { group.lose_power(now); }
    return lost;
}

}  // namespace rushproof::simulator
