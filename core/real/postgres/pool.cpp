#include "core/real/postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace rushproof::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Duration roll_back_within = std::chrono::seconds(5);

MonotonicTime now() { return MonotonicTime(SteadyClock::now().time_since_epoch()); }

Error unavailable() {
    return Error(ErrorKind::retryable, "unavailable", "the database is closing");
}

Labels labels_of(const std::string& pool, const std::string& core) {
    return {{"server", pool}, {"core", core}};
}

// The lease gives the connection back when it is clean, or closed.
Task<void> roll_back(Lease lease) {
    lease->set_deadline(now() + roll_back_within);
    co_await lease->roll_back();
}

}  // namespace

Lease::~Lease() {
    if (pool_) { pool_->give_back(std::move(connection_)); }
}

Pool::Waiter::Waiter(const asio::any_io_executor& executor, MonotonicTime deadline)
    : timer(executor, SteadyClock::time_point(deadline.time_since_epoch())) {}

Pool::Pool(asio::any_io_executor executor, const PostgresOptions& options, std::string url,
           const std::string& name, Telemetry& telemetry)
    : executor_(std::move(executor)),
      options_(options),
      url_(std::move(url)),
      in_use_(telemetry.gauge("database_connections_in_use", "Connections that serve a transaction",
                              labels_of(name, options.core))),
      open_(telemetry.gauge("database_connections_open", "Connections that are open",
                            labels_of(name, options.core))),
      in_line_(telemetry.gauge("database_transactions_waiting",
                               "Transactions that wait for a connection",
                               labels_of(name, options.core))),
      exhausted_(telemetry.counter("database_pool_exhausted_total",
                                   "Transactions refused because too many wait already",
                                   {{"server", name}})),
      connect_failures_(telemetry.counter("database_connect_failures_total",
                                          "Connections that could not be opened",
                                          {{"server", name}})),
      wait_seconds_(telemetry.duration("database_pool_wait_seconds",
                                       "How long transactions waited that had to",
                                       {{"server", name}})) {}

Task<Result<Lease>> Pool::acquire(MonotonicTime deadline) {
    if (stopped_) { co_return failure(unavailable()); }
    if (leased_ >= options_.connections_max) { co_return co_await wait_in_line(deadline); }
    ++leased_;
    Lease lease(shared_from_this());
    RP_CO_CHECK(co_await open(lease, deadline));
    co_return lease;
}

Task<Result<Lease>> Pool::wait_in_line(MonotonicTime deadline) {
    if (waiting_.size() >= options_.waiting_max) {
        exhausted_.add();
        co_return failure(ErrorKind::retryable, "pool-exhausted",
                          "too many transactions are waiting for the database");
    }
    const MonotonicTime began = now();
    Waiter waiter(executor_, deadline);
    {
        const Place place(*this, waiter);
        show();
        co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    wait_seconds_.observe(std::chrono::duration<double>(now() - began).count());
    show();
    if (!waiter.granted) {
        co_return failure(stopped_ ? unavailable()
                                   : Error(ErrorKind::retryable, "deadline-exceeded",
                                           "no connection became free in time"));
    }
    Lease lease = *std::move(waiter.granted);
    RP_CO_CHECK(co_await open(lease, deadline));
    co_return lease;
}

// Gives the lease an idle connection, else a new one.
Task<Result<void>> Pool::open(Lease& lease, MonotonicTime deadline) {
    while (!lease.connection_ && !idle_.empty()) {
        lease.connection_ = std::move(idle_.back());
        idle_.pop_back();
        if (!lease.connection_->usable()) { lease.connection_.reset(); }
    }
    if (!lease.connection_) {
        const MonotonicTime give_up = std::min(deadline, now() + options_.connect_timeout);
        auto opened = co_await Connection::open(executor_, url_, options_, give_up);
        if (!opened) {
            connect_failures_.add();
            co_return failure(std::move(opened).error());
        }
        lease.connection_ = *std::move(opened);
    }
    lease->set_deadline(deadline);
    show();
    co_return Result<void>();
}

void Pool::give_back(std::shared_ptr<Connection> connection) {
    --leased_;
    if (stopped_) { return; }
    if (connection && connection->in_transaction()) {
        ++leased_;
        Lease lease(shared_from_this());
        lease.connection_ = std::move(connection);
        asio::co_spawn(executor_, roll_back(std::move(lease)), asio::detached);
        return;
    }
    if (connection) { connection->set_deadline(MonotonicTime::max()); }
    if (connection && !connection->usable()) { connection.reset(); }
    pass_on(std::move(connection));
}

void Pool::pass_on(std::shared_ptr<Connection> connection) {
    const auto first = std::ranges::find_if(
        waiting_, [](const Waiter* waiter) { return !waiter->granted.has_value(); });
    if (first != waiting_.end()) {
        ++leased_;
        Lease lease(shared_from_this());
        lease.connection_ = std::move(connection);
        (*first)->granted.emplace(std::move(lease));
        (*first)->timer.cancel();
    } else if (connection) {
        idle_.push_back(std::move(connection));
    }
    show();
}

void Pool::stop() {
    stopped_ = true;
    for (Waiter* waiter : waiting_) { waiter->timer.cancel(); }
    idle_.clear();
}

void Pool::show() const {
    in_use_.set(static_cast<double>(leased_));
    open_.set(static_cast<double>(leased_ + idle_.size()));
    in_line_.set(static_cast<double>(waiting_.size()));
}

}  // namespace rushproof::postgres
