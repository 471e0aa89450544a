// The deadlock check of a session that has waited for a while, after PostgreSQL's deadlock.c.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "simulator/models/database/locks.hpp"

namespace rushproof::simulator {

class DeadlockCheck {
public:
    explicit DeadlockCheck(std::span<LockOwner* const> owners) : owners_(owners) {}

    // True: only the failure of `start` helps.  False: there is no deadlock once
    // the queues have the orders() found.
    bool hard(LockOwner& start);

    struct Order {
        Lock* lock;
        std::vector<LockRequest*> queue;
    };
    const std::vector<Order>& orders() const { return orders_; }

private:
    // A waiter that is to overtake one in front of it.
    struct Edge {
        LockRequest* waiter;
        LockRequest* blocker;
    };
    enum class Found : std::uint8_t { nothing, soft_cycle, hard_cycle };

    bool try_constraints(LockOwner& start);
    Found test(LockOwner& start);
    bool reorder();
    bool sort(Lock& lock, std::size_t constraints);
    bool find_cycle(LockOwner& start);
    bool reaches_start(LockOwner& at);
    const std::vector<LockRequest*>& queue_of(const Lock& lock) const;

    std::span<LockOwner* const> owners_;
    std::vector<Edge> constraints_;
    std::vector<Order> orders_;
    std::vector<LockOwner*> visited_;
    std::vector<Edge> soft_edges_;  // of the last cycle found
};

}  // namespace rushproof::simulator
