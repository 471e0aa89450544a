#include "simulator/models/database/deadlock.hpp"

#include <algorithm>

namespace rushproof::simulator {

bool DeadlockCheck::hard(LockOwner& start) {
    constraints_.clear();
    return try_constraints(start);
}

bool DeadlockCheck::try_constraints(LockOwner& start) {
    switch (test(start)) {
        case Found::nothing: return false;
        case Found::hard_cycle: return true;
        case Found::soft_cycle: break;
    }
    if (constraints_.size() >= owners_.size()) { return true; }
    const std::vector<Edge> candidates = soft_edges_;
    for (const Edge& edge : candidates) {
        constraints_.push_back(edge);
        if (!try_constraints(start)) { return false; }
        constraints_.pop_back();
    }
    return true;
}

DeadlockCheck::Found DeadlockCheck::test(LockOwner& start) {
    if (!reorder()) { return Found::hard_cycle; }
    std::vector<LockOwner*> starts;
    for (const Edge& edge : constraints_) {
        starts.push_back(edge.waiter->owner);
        starts.push_back(edge.blocker->owner);
    }
    starts.push_back(&start);
    std::vector<Edge> found;
    for (LockOwner* from : starts) {
        if (!find_cycle(*from)) { continue; }
        if (soft_edges_.empty()) { return Found::hard_cycle; }
        found = soft_edges_;
    }
    soft_edges_ = std::move(found);
    return soft_edges_.empty() ? Found::nothing : Found::soft_cycle;
}

bool DeadlockCheck::reorder() {
    orders_.clear();
    for (std::size_t i = constraints_.size(); i > 0; --i) {
        Lock& lock = *constraints_[i - 1].waiter->lock;
        const bool done = std::any_of(orders_.begin(), orders_.end(),
                                      [&](const Order& order) { return order.lock == &lock; });
        if (!done && !sort(lock, i)) { return false; }
    }
    return true;
}

// The queue as it is, but for the constraints; filled from its end.
bool DeadlockCheck::sort(Lock& lock, std::size_t constraints) {
    std::vector<LockRequest*> left = lock.queue;
    std::vector<LockRequest*> sorted;
    while (!left.empty()) {
        const auto must_precede_another = [&](const LockRequest* wait) {
            return std::any_of(constraints_.begin(),
                               constraints_.begin() + static_cast<std::ptrdiff_t>(constraints),
                               [&](const Edge& edge) {
                                   return edge.waiter == wait &&
                                          std::find(left.begin(), left.end(), edge.blocker) !=
                                              left.end();
                               });
        };
        const auto last = std::find_if_not(left.rbegin(), left.rend(), must_precede_another);
        if (last == left.rend()) { return false; }
        sorted.push_back(*last);
        left.erase(std::next(last).base());
    }
    std::reverse(sorted.begin(), sorted.end());
    orders_.push_back({&lock, std::move(sorted)});
    return true;
}

bool DeadlockCheck::find_cycle(LockOwner& start) {
    visited_.clear();
    soft_edges_.clear();
    return reaches_start(start);
}

bool DeadlockCheck::reaches_start(LockOwner& at) {
    const auto visited = std::find(visited_.begin(), visited_.end(), &at);
    if (visited != visited_.end()) { return visited == visited_.begin(); }
    visited_.push_back(&at);
    if (at.request == nullptr || !at.request->queued) { return false; }
    LockRequest& wait = *at.request;
    const std::uint32_t conflicts = conflicts_of(wait.mode);
    for (LockOwner* holder : owners_) {
        if (holder == &at || (holder->modes_of(*wait.lock) & conflicts) == 0) { continue; }
        if (reaches_start(*holder)) { return true; }
    }
    for (LockRequest* ahead : queue_of(*wait.lock)) {
        if (ahead == &wait) { break; }
        if ((bit(ahead->mode) & conflicts) == 0) { continue; }
        if (reaches_start(*ahead->owner)) {
            soft_edges_.push_back({&wait, ahead});
            return true;
        }
    }
    return false;
}

const std::vector<LockRequest*>& DeadlockCheck::queue_of(const Lock& lock) const {
    for (const Order& order : orders_) {
        if (order.lock == &lock) { return order.queue; }
    }
    return lock.queue;
}

}  // namespace rushproof::simulator
