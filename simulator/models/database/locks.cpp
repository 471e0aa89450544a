#include "simulator/models/database/locks.hpp"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/assert.hpp"
#include "simulator/models/database/deadlock.hpp"

namespace rushproof::simulator {

std::uint32_t conflicts_of(LockMode mode) {
    using enum LockMode;
    switch (mode) {
        case access_share: return bit(access_exclusive);
        case row_share: return bit(exclusive) | bit(access_exclusive);
        case row_exclusive:
            return bit(share) | bit(share_row_exclusive) | bit(exclusive) | bit(access_exclusive);
        case share_update_exclusive:
            return conflicts_of(row_exclusive) | bit(share_update_exclusive);
        case share:
            return bit(row_exclusive) | bit(share_update_exclusive) | bit(share_row_exclusive) |
                   bit(exclusive) | bit(access_exclusive);
        case share_row_exclusive: return conflicts_of(share) | bit(share);
        case exclusive: return conflicts_of(share_row_exclusive) | bit(row_share);
        case access_exclusive: return conflicts_of(exclusive) | bit(access_share);
    }
    RP_ASSERT(false);
    return 0;
}

void LockRequest::Suspended::resume() {
    asio::post(executor, [call = std::move(handler)]() mutable { std::move(call)(); });
}

LockRequest::LockRequest(LockManager& with, LockOwner& by, Lock& on, LockMode in)
    : manager(&with), owner(&by), lock(&on), mode(in) {
    owner->request = this;
}

LockRequest::~LockRequest() {
    if (manager == nullptr) { return; }
    if (queued) { manager->leave(*this); }
    owner->request = nullptr;
}

LockOwner::LockOwner(std::uint64_t number) : number_(number) {
    transaction.granted[static_cast<std::size_t>(LockMode::exclusive)] = 1;
    transaction.granted_modes = bit(LockMode::exclusive);
}

std::uint32_t LockOwner::modes_of(const Lock& lock) const {
    if (&lock == &transaction) { return bit(LockMode::exclusive); }
    std::uint32_t modes = 0;
    for (const Held& held : held_) {
        if (held.lock == &lock) { modes |= bit(held.mode); }
    }
    return modes;
}

LockOwner::Held* LockOwner::held(const Lock& lock, LockMode mode, bool session) {
    for (Held& held : held_) {
        if (held.lock == &lock && held.mode == mode && held.session == session) { return &held; }
    }
    return nullptr;
}

LockManager::LockManager(Hooks hooks)
    : hooks_(std::move(hooks)), self_(std::make_shared<LockManager*>(this)) {}

void LockManager::disconnect(LockOwner& owner) {
    end_transaction(owner);
    release_all(owner, true);
    owners_.erase(std::find(owners_.begin(), owners_.end(), &owner));
}

void LockManager::forget_all() {
    for (LockOwner* owner : owners_) {
        owner->held_.clear();
        owner->transaction.queue.clear();
        if (owner->request != nullptr) { owner->request->manager = nullptr; }
        owner->request = nullptr;
    }
    owners_.clear();
    locks_.clear();
    timers_.clear();
}

Lock& LockManager::lock(const LockTag& tag) {
    const auto [entry, added] = locks_.try_emplace(tag);
    if (added) { entry->second.tag = &entry->first; }
    return entry->second;
}

bool LockManager::acquire(LockOwner& owner, Lock& lock, LockMode mode, bool session) {
    std::uint32_t in_the_way = lock.granted_modes;
    for (const LockRequest* wait : lock.queue) { in_the_way |= bit(wait->mode); }
    if ((conflicts_of(mode) & in_the_way) != 0 && (owner.modes_of(lock) & bit(mode)) == 0) {
        for (const LockRequest* wait : lock.queue) {
            if ((conflicts_of(mode) & bit(wait->mode)) != 0) { return false; }
        }
        if (conflicts(owner, lock, mode)) { return false; }
    }
    grant(owner, lock, mode, session);
    return true;
}

void LockManager::grant(LockOwner& owner, Lock& lock, LockMode mode, bool session) {
    if (LockOwner::Held* held = owner.held(lock, mode, session)) {
        ++held->times;
        return;
    }
    if ((owner.modes_of(lock) & bit(mode)) == 0) {
        ++lock.granted[static_cast<std::size_t>(mode)];
        lock.granted_modes |= bit(mode);
    }
    owner.held_.push_back({&lock, mode, session, 1});
}

// Whether others hold what conflicts.
bool LockManager::conflicts(const LockOwner& owner, const Lock& lock, LockMode mode) const {
    const std::uint32_t own = owner.modes_of(lock);
    for (std::size_t i = 0; i < lock_modes; ++i) {
        const std::uint32_t other = bit(static_cast<LockMode>(i));
        if ((conflicts_of(mode) & other) == 0) { continue; }
        if (lock.granted[i] > ((own & other) != 0 ? 1U : 0U)) { return true; }
    }
    return false;
}

bool LockManager::release(LockOwner& owner, Lock& lock, LockMode mode, bool session) {
    LockOwner::Held* held = owner.held(lock, mode, session);
    if (held == nullptr) { return false; }
    if (--held->times > 0) { return true; }
    owner.held_.erase(owner.held_.begin() + (held - owner.held_.data()));
    ungrant(owner, lock, mode);
    return true;
}

bool LockManager::release(LockOwner& owner, const LockTag& tag, LockMode mode, bool session) {
    const auto entry = locks_.find(tag);
    return entry != locks_.end() && release(owner, entry->second, mode, session);
}

// The owner has one entry less.
void LockManager::ungrant(LockOwner& owner, Lock& lock, LockMode mode) {
    if ((owner.modes_of(lock) & bit(mode)) != 0) { return; }
    std::uint32_t& count = lock.granted[static_cast<std::size_t>(mode)];
    if (--count == 0) { lock.granted_modes &= ~bit(mode); }
    if (lock.queue.empty()) {
        erase_if_unused(lock);
    } else {
        wake(lock);
    }
}

void LockManager::erase_if_unused(Lock& lock) {
    if (lock.tag != nullptr && lock.granted_modes == 0 && lock.queue.empty()) {
        locks_.erase(*lock.tag);
    }
}

void LockManager::end_transaction(LockOwner& owner) {
    while (!owner.transaction.queue.empty()) {
        end_wait(*owner.transaction.queue.front(), WaitEnd::granted);
    }
    release_all(owner, false);
}

void LockManager::release_all(LockOwner& owner, bool session) {
    for (std::size_t i = 0; i < owner.held_.size();) {
        const LockOwner::Held held = owner.held_[i];
        if (held.session == session) {
            owner.held_.erase(owner.held_.begin() + static_cast<std::ptrdiff_t>(i));
            ungrant(owner, *held.lock, held.mode);
        } else {
            ++i;
        }
    }
}

// Whoever conflicts neither with what is held nor with a request in front of it.
void LockManager::wake(Lock& lock) {
    std::uint32_t ahead = 0;
    const std::vector<LockRequest*> queue = lock.queue;
    for (LockRequest* wait : queue) {
        if ((conflicts_of(wait->mode) & ahead) == 0 && !conflicts(*wait->owner, lock, wait->mode)) {
            grant(*wait->owner, lock, wait->mode, wait->session);
            end_wait(*wait, WaitEnd::granted);
        } else {
            ahead |= bit(wait->mode);
        }
    }
}

// Without the lock: others may get it now.
void LockManager::leave(LockRequest& wait) {
    Lock& lock = *wait.lock;
    lock.queue.erase(std::find(lock.queue.begin(), lock.queue.end(), &wait));
    wait.queued = false;
    wake(lock);
    erase_if_unused(lock);
}

void LockManager::end_wait(LockRequest& wait, WaitEnd end) {
    if (end == WaitEnd::granted) {
        Lock& lock = *wait.lock;
        lock.queue.erase(std::find(lock.queue.begin(), lock.queue.end(), &wait));
        wait.queued = false;
    } else {
        leave(wait);
    }
    wait.end = end;
    if (auto call = std::exchange(wait.suspended, std::nullopt)) { call->resume(); }
}

Task<WaitEnd> LockManager::wait(LockOwner& owner, Lock& lock, LockMode mode, bool session,
                                Patience patience) {
    LockRequest waiting(*this, owner, lock, mode);
    waiting.session = session;
    if (!enqueue(waiting)) { co_return waiting.end; }
    co_return co_await suspend(waiting, patience);
}

Task<WaitEnd> LockManager::wait_for_transaction(LockOwner& owner, LockOwner& of,
                                                Patience patience) {
    LockRequest waiting(*this, owner, of.transaction, LockMode::share);
    waiting.lock->queue.push_back(&waiting);
    waiting.queued = true;
    co_return co_await suspend(waiting, patience);
}

// At the end, or in front of whoever waits for what the newcomer holds.  False: the wait is over.
bool LockManager::enqueue(LockRequest& wait) {
    Lock& lock = *wait.lock;
    const std::uint32_t own = wait.owner->modes_of(lock);
    std::uint32_t ahead = 0;
    auto place = lock.queue.begin();
    for (; place != lock.queue.end(); ++place) {
        LockRequest& other = **place;
        if ((conflicts_of(other.mode) & own) != 0) {
            if ((conflicts_of(wait.mode) & other.owner->modes_of(lock)) != 0) {
                wait.end = WaitEnd::deadlock;
                return false;
            }
            if ((conflicts_of(wait.mode) & ahead) == 0 &&
                !conflicts(*wait.owner, lock, wait.mode)) {
                grant(*wait.owner, lock, wait.mode, wait.session);
                return false;
            }
            break;
        }
        ahead |= bit(other.mode);
    }
    lock.queue.insert(place, &wait);
    wait.queued = true;
    return true;
}

Task<WaitEnd> LockManager::suspend(LockRequest& wait, Patience patience) {
    wait.number = ++waits_;
    if (hooks_.after) {
        const Duration now = hooks_.elapsed();
        set_timer(now + hooks_.deadlock_timeout, {wait.number, std::nullopt});
        if (patience.lock_timeout) {
            set_timer(now + *patience.lock_timeout, {wait.number, WaitEnd::lock_timeout});
        }
        if (patience.statement_due) {
            set_timer(*patience.statement_due, {wait.number, WaitEnd::statement_timeout});
        }
        arm();
    } else {
        check_deadlock(wait);
        if (!wait.queued) { co_return wait.end; }
    }
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [&wait, &executor](auto handler) {
            wait.suspended.emplace(LockRequest::Suspended{executor, std::move(handler)});
        },
        asio::use_awaitable);
    co_return wait.manager == nullptr ? WaitEnd::disconnected : wait.end;
}

void LockManager::check_deadlock(LockRequest& wait) {
    DeadlockCheck check(owners_);
    if (check.hard(*wait.owner)) {
        end_wait(wait, WaitEnd::deadlock);
        return;
    }
    for (const DeadlockCheck::Order& order : check.orders()) { order.lock->queue = order.queue; }
    for (const DeadlockCheck::Order& order : check.orders()) { wake(*order.lock); }
}

void LockManager::set_timer(Duration due, Timer timer) { timers_.emplace(due, timer); }

void LockManager::arm() {
    if (timers_.empty()) { return; }
    const Duration due = timers_.begin()->first;
    if (armed_ && *armed_ <= due) { return; }
    armed_ = due;
    const Duration now = hooks_.elapsed();
    hooks_.after(std::max(due - now, Duration{}), [self = std::weak_ptr(self_)] {
        if (const auto manager = self.lock()) { (*manager)->fire(); }
    });
}

void LockManager::fire() {
    armed_.reset();
    const Duration now = hooks_.elapsed();
    const auto find = [this](std::uint64_t number) -> LockRequest* {
        for (const LockOwner* owner : owners_) {
            LockRequest* wait = owner->request;
            if (wait != nullptr && wait->number == number) { return wait->queued ? wait : nullptr; }
        }
        return nullptr;
    };
    while (!timers_.empty()) {
        const auto [due, timer] = *timers_.begin();
        LockRequest* wait = find(timer.wait);
        if (wait != nullptr && due > now) { break; }
        timers_.erase(timers_.begin());
        if (wait == nullptr) { continue; }
        if (timer.end) {
            end_wait(*wait, *timer.end);
        } else {
            check_deadlock(*wait);
        }
    }
    arm();
}

std::vector<std::uint64_t> LockManager::blockers(const LockOwner& owner) const {
    std::vector<std::uint64_t> result;
    const LockRequest* wait = owner.request;
    if (wait == nullptr || !wait->queued) { return result; }
    const std::uint32_t conflicting = conflicts_of(wait->mode);
    for (const LockOwner* holder : owners_) {
        if (holder != &owner && (holder->modes_of(*wait->lock) & conflicting) != 0) {
            result.push_back(holder->number());
        }
    }
    for (const LockRequest* ahead : wait->lock->queue) {
        if (ahead == wait) { break; }
        if ((bit(ahead->mode) & conflicting) != 0) { result.push_back(ahead->owner->number()); }
    }
    return result;
}

}  // namespace rushproof::simulator
