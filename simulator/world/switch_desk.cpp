#include "simulator/world/switch_desk.hpp"

#include <utility>

#include "simulator/load/operator.hpp"

namespace rushproof::simulator {

SwitchDesk::SwitchDesk(Host& clients, HttpClient& http, History& history, MonotonicTime start,
                       std::function<void(const QueueSwitch&)> ended)
    : clients_(clients),
      http_(http),
      history_(history),
      start_(start),
      ended_(std::move(ended)),
      operators_(clients.spawner()) {}

void SwitchDesk::begin(const SwitchOrder& order) { operators_.start("operator", operate(order)); }

std::string SwitchDesk::evidence(const std::string& id) const {
    const auto found = evidence_.find(id);
    return found == evidence_.end() ? std::string() : found->second;
}

Task<void> SwitchDesk::operate(SwitchOrder order) {
    Clock& clock = clients_.clock();
    SwitchTask task;
    task.id = order.id;
    task.to = order.to;
    task.start = start_;
    task.deadline = clock.monotonic() + order.deadline;
    QueueSwitch change = co_await simulator::switch_queue(clock, http_, std::move(task));
    evidence_[order.id] = evidence_of(change);
    history_.switches.push_back(change);
    ended_(change);
}

}  // namespace rushproof::simulator
