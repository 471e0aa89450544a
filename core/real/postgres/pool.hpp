// The connections to one server, and the line of those who wait for one.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/telemetry.hpp"
#include "core/real/postgres/connection.hpp"

namespace rushproof::postgres {

class Pool;

// The right to one of the pool's connections; going away gives it back.
class Lease {
public:
    explicit Lease(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(connection_, other.connection_);
        return *this;
    }
    ~Lease();

    Connection* operator->() const { return connection_.get(); }

private:
    friend class Pool;
    std::shared_ptr<Pool> pool_;
    std::shared_ptr<Connection> connection_;  // null until it is open
};

// First come, first served.  Everything happens on one executor.
class Pool : public std::enable_shared_from_this<Pool> {
public:
    // `name` tells its metrics apart ("primary").
    Pool(asio::any_io_executor executor, const PostgresOptions& options, std::string url,
         const std::string& name, Telemetry& telemetry);
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Its connection is open, idle and has the deadline.  Errors, all retryable: "unavailable",
    // "pool-exhausted", "deadline-exceeded".
    Task<Result<Lease>> acquire(MonotonicTime deadline);

    // Waiting ones get "unavailable", as does everybody from now on.
    void stop();

private:
    friend class Lease;

    struct Waiter {
        Waiter(const asio::any_io_executor& executor, MonotonicTime deadline);
        asio::steady_timer timer;
        std::optional<Lease> granted;
    };
    // A place in the line; leaves it when it goes away.
    class Place {
    public:
        Place(Pool& pool, Waiter& waiter)
            : pool_(pool), at_(pool.waiting_.insert(pool.waiting_.end(), &waiter)) {}
        ~Place() { pool_.waiting_.erase(at_); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

    private:
        Pool& pool_;
        std::list<Waiter*>::iterator at_;
    };

    Task<Result<Lease>> wait_in_line(MonotonicTime deadline);
    Task<Result<void>> open(Lease& lease, MonotonicTime deadline);
    void give_back(std::shared_ptr<Connection> connection);
    // A rolled-back or new right goes to the first in the line, else to the idle ones.
    void pass_on(std::shared_ptr<Connection> connection);
    void show() const;

    asio::any_io_executor executor_;
    PostgresOptions options_;
    std::string url_;
    std::vector<std::shared_ptr<Connection>> idle_;  // the last was used last
    std::list<Waiter*> waiting_;
    std::size_t leased_ = 0;
    bool stopped_ = false;
    Gauge& in_use_;
    Gauge& open_;
    Gauge& in_line_;
    Counter& exhausted_;
    Counter& connect_failures_;
    Distribution& wait_seconds_;
};

}  // namespace rushproof::postgres
