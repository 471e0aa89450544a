// Heavyweight locks, as PostgreSQL has them: on tables, on row versions (only while somebody waits
// for one), on transactions (held by each until its end) and on advisory keys.  Queues, grants and
// deadlocks follow its lock.c, proc.c and deadlock.c, so that it blocks whom PostgreSQL blocks.
#pragma once
#include <array>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/model_transaction.hpp"
#include "core/ports/task.hpp"

namespace rushproof::simulator {

class LockManager;
class LockOwner;

using LockMode = TableLock;
constexpr std::size_t lock_modes = 8;
constexpr std::uint32_t bit(LockMode mode) { return 1U << static_cast<std::uint32_t>(mode); }
std::uint32_t conflicts_of(LockMode mode);

// How a wait ended.
enum class WaitEnd : std::uint8_t {
    granted,
    deadlock,
    lock_timeout,
    statement_timeout,
    cancelled,
    terminated,
    disconnected,
};

struct LockTag {
    enum class Kind : std::uint8_t { row, advisory };
    Kind kind = Kind::row;
    std::int64_t number = 0;  // of the row's version, or the advisory key
    std::string row;          // its table and key
    friend auto operator<=>(const LockTag&, const LockTag&) = default;
};

struct Lock;

// A call that waits for a lock; lives in its frame.
class LockRequest {
public:
    // A suspended call; destroying it destroys the call.
    struct Suspended {
        asio::any_io_executor executor;
        asio::any_completion_handler<void()> handler;
        // Through the executor, never inline.
        void resume();
    };

    LockRequest(LockManager& manager, LockOwner& owner, Lock& lock, LockMode mode);
    LockRequest(const LockRequest&) = delete;
    LockRequest& operator=(const LockRequest&) = delete;
    ~LockRequest();

    LockManager* manager;  // null once the server is gone
    LockOwner* owner;
    Lock* lock;
    LockMode mode;
    bool session = false;
    bool queued = false;
    std::uint64_t number = 0;
    WaitEnd end = WaitEnd::granted;
    std::optional<Suspended> suspended;
};

struct Lock {
    std::array<std::uint32_t, lock_modes> granted{};  // how many owners hold each mode
    std::uint32_t granted_modes = 0;
    std::vector<LockRequest*> queue;
    const LockTag* tag = nullptr;  // where it is kept, if it goes when it is unused
};

// What one session holds and waits for.
class LockOwner {
public:
    explicit LockOwner(std::uint64_t number);
    LockOwner(const LockOwner&) = delete;
    LockOwner& operator=(const LockOwner&) = delete;

    std::uint64_t number() const { return number_; }
    // What it holds of that lock, as bits.
    std::uint32_t modes_of(const Lock& lock) const;

    Lock transaction;  // always its own; whoever waits for its transaction's end
                       // queues here
    LockRequest* request = nullptr;

private:
    friend class LockManager;
    struct Held {
        Lock* lock;
        LockMode mode;
        bool session;  // until it is released, not until the transaction's end
        std::uint32_t times;
    };
    Held* held(const Lock& lock, LockMode mode, bool session);

    std::uint64_t number_;
    std::vector<Held> held_;
};

class LockManager {
public:
    struct Hooks {
        // Runs the call after that time.  When absent, deadlocks are looked for at
        // once and nothing times out.
        std::function<void(Duration, std::function<void()>)> after;
        std::function<Duration()> elapsed;
        Duration deadlock_timeout{};
    };
    explicit LockManager(Hooks hooks);
    LockManager(const LockManager&) = delete;
    LockManager& operator=(const LockManager&) = delete;

    void connect(LockOwner& owner) { owners_.push_back(&owner); }
    // Everything that it holds is released.
    void disconnect(LockOwner& owner);
    // The server is gone: nothing is given back.
    void forget_all();

    // Of a row's version, or of an advisory key.
    Lock& lock(const LockTag& tag);
    // True: granted at once.
    bool acquire(LockOwner& owner, Lock& lock, LockMode mode, bool session = false);
    // How long to wait at most: from now, and until when.
    struct Patience {
        std::optional<Duration> lock_timeout;
        std::optional<Duration> statement_due;
    };
    // After an acquire that was refused, in the same step.  Granted: the owner holds it.
    Task<WaitEnd> wait(LockOwner& owner, Lock& lock, LockMode mode, bool session,
                       Patience patience);
    // Until that transaction has ended.  Nothing is held afterwards.
    Task<WaitEnd> wait_for_transaction(LockOwner& owner, LockOwner& of, Patience patience);
    // False: it was not held (that way).
    bool release(LockOwner& owner, Lock& lock, LockMode mode, bool session = false);
    bool release(LockOwner& owner, const LockTag& tag, LockMode mode, bool session);
    void end_transaction(LockOwner& owner);
    void release_all(LockOwner& owner, bool session);
    void end_wait(LockRequest& wait, WaitEnd end);

    // Whom pg_blocking_pids would name.
    std::vector<std::uint64_t> blockers(const LockOwner& owner) const;

private:
    friend class LockRequest;
    struct Timer {
        std::uint64_t wait;
        std::optional<WaitEnd> end;  // none: look for a deadlock
    };

    void grant(LockOwner& owner, Lock& lock, LockMode mode, bool session);
    bool conflicts(const LockOwner& owner, const Lock& lock, LockMode mode) const;
    void ungrant(LockOwner& owner, Lock& lock, LockMode mode);
    void wake(Lock& lock);
    void leave(LockRequest& wait);
    void erase_if_unused(Lock& lock);
    bool enqueue(LockRequest& wait);
    Task<WaitEnd> suspend(LockRequest& wait, Patience patience);
    void check_deadlock(LockRequest& wait);
    void set_timer(Duration due, Timer timer);
    void arm();
    void fire();

    Hooks hooks_;
    std::vector<LockOwner*> owners_;
    std::map<LockTag, Lock> locks_;
    std::uint64_t waits_ = 0;
    std::multimap<Duration, Timer> timers_;
    std::optional<Duration> armed_;
    std::shared_ptr<LockManager*> self_;  // whether a timer still finds it
};

}  // namespace rushproof::simulator
