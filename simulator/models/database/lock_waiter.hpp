// Waiting for a row lock, or for the end of the transaction that wrote a key.
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <utility>

#include "core/ports/task.hpp"
#include "simulator/models/database/table.hpp"

namespace rushproof::simulator {

// A place in a slot's queue.  It is kept until the row is locked or known not to be needed, however
// often others get in between: like PostgreSQL, a lock that became free may be taken by whoever
// runs first.
class LockWaiter {
public:
    // A suspended call; destroying it destroys the call.
    struct Suspended {
        asio::any_io_executor executor;
        asio::any_completion_handler<void()> handler;
        // Through the executor, never inline.
        void resume();
    };

    LockWaiter(Slot& slot, ModelBackend& backend);
    LockWaiter(const LockWaiter&) = delete;
    LockWaiter& operator=(const LockWaiter&) = delete;
    ~LockWaiter() { leave(); }

    // Until wake().
    Task<void> wait();
    void wake();
    // Gives up the place, and a free lock to the next in the queue.
    void leave();
    // The slot is about to vanish with its queue.
    void forget_slot() { slot_ = nullptr; }

    Slot* slot() const { return slot_; }
    bool waiting() const { return suspended_.has_value(); }
    std::optional<Suspended> take() { return std::exchange(suspended_, std::nullopt); }

private:
    Slot* slot_;
    ModelBackend& backend_;
    std::optional<Suspended> suspended_;
};

}  // namespace rushproof::simulator
