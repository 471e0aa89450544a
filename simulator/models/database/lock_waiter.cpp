#include "simulator/models/database/lock_waiter.hpp"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "simulator/models/database/backend.hpp"

namespace rushproof::simulator {

void LockWaiter::Suspended::resume() {
    asio::post(executor, [call = std::move(handler)]() mutable { std::move(call)(); });
}

LockWaiter::LockWaiter(Slot& slot, ModelBackend& backend) : slot_(&slot), backend_(backend) {
    slot.waiters.push_back(this);
    backend.set_waiter(this);
}

Task<void> LockWaiter::wait() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    co_await asio::async_initiate<const asio::deferred_t&, void()>(
        [this, &executor](auto handler) {
            suspended_.emplace(Suspended{executor, std::move(handler)});
        },
        asio::deferred);
}

void LockWaiter::wake() {
    if (auto call = take()) { call->resume(); }
}

void LockWaiter::leave() {
    if (slot_ == nullptr) { return; }
    Slot& slot = *std::exchange(slot_, nullptr);
    backend_.set_waiter(nullptr);
    slot.waiters.erase(std::find(slot.waiters.begin(), slot.waiters.end(), this));
    if (slot.owner == nullptr) { slot.table->offer(slot); }
}

}  // namespace rushproof::simulator
