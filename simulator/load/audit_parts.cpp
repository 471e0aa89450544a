#include "simulator/load/audit_parts.hpp"

namespace rushproof::simulator {

void insert_by_time(History& history, const std::vector<Event>& events) {
    std::vector<std::pair<std::int64_t, std::size_t>> order;
    order.reserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) { order.emplace_back(events[i].time, i); }
    std::sort(order.begin(), order.end());
    std::vector<Event> merged;
    merged.reserve(history.events.size() + events.size());
    auto old = history.events.begin();
    for (const auto& [time, index] : order) {
        for (; old != history.events.end() && old->time <= time; ++old) { merged.push_back(*old); }
        merged.push_back(events[index]);
    }
    merged.insert(merged.end(), old, history.events.end());
    history.events = std::move(merged);
}

}  // namespace rushproof::simulator
