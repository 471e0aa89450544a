#include "core/real/sqlite/lane.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "core/base/assert.hpp"

namespace rushproof::sqlite {

namespace {

using SteadyClock = std::chrono::steady_clock;

// A caller that goes on at once is back within this time, and a thread that has gone to sleep takes
// as long to wake.
constexpr std::chrono::microseconds spin_time(50);

MonotonicTime now() { return MonotonicTime(SteadyClock::now().time_since_epoch()); }

SteadyClock::time_point on_steady_clock(MonotonicTime at) {
    return SteadyClock::time_point(at.time_since_epoch());
}

Error closing() { return Error(ErrorKind::retryable, "unavailable", "the database is closing"); }
Error late(std::string message) {
    return Error(ErrorKind::retryable, "deadline-exceeded", std::move(message));
}

}  // namespace

class LaneTransaction final : public Transaction {
public:
    LaneTransaction(std::shared_ptr<Lane> lane, std::shared_ptr<Lane::Session> session)
        : lane_(std::move(lane)), session_(std::move(session)) {}
    ~LaneTransaction() override { lane_->abandon(*session_); }
    LaneTransaction(const LaneTransaction&) = delete;
    LaneTransaction& operator=(const LaneTransaction&) = delete;

    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
        return submit(std::move(calls), Lane::Ending::stay_open);
    }
    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
        return submit(std::move(last), Lane::Ending::commit);
    }

private:
    Task<Result<std::vector<Rows>>> submit(std::vector<Call> calls, Lane::Ending ending) {
        auto initiate = [lane = lane_, session = session_, ending](auto handler,
                                                                   std::vector<Call> given) {
            Lane::CallReply reply(std::move(handler));
            Lane::Request request{std::move(given), ending, std::move(reply)};
            lane->submit(session, std::move(request));
        };
        return asio::async_initiate<const asio::use_awaitable_t<>&,
                                    void(Result<std::vector<Rows>>)>(
            std::move(initiate), asio::use_awaitable, std::move(calls));
    }

    std::shared_ptr<Lane> lane_;
    std::shared_ptr<Lane::Session> session_;
};

Lane::Lane(std::vector<std::unique_ptr<Connection>> connections, std::size_t waiting_max)
    : waiting_max_(waiting_max), spins_(std::thread::hardware_concurrency() > 1) {
    for (auto& connection : connections) workers_.emplace_back(std::move(connection));
    for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { work(worker); });
}

Lane::~Lane() { stop(); }

void Lane::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const SessionPointer& session : waiting_) refuse(*session, closing());
        waiting_.clear();
    }
    for (Worker& worker : workers_) worker.awake.notify_one();
    for (Worker& worker : workers_) {
        if (worker.thread.joinable()) worker.thread.join();
        worker.connection.reset();
    }
}

std::unique_ptr<Transaction> Lane::begin(MonotonicTime deadline) {
    return std::make_unique<LaneTransaction>(shared_from_this(),
                                             std::make_shared<Session>(deadline));
}

void Lane::submit(const SessionPointer& session, Request request) {
    const std::lock_guard lock(mutex_);
    if (session->over) return request.reply(failure(*session->over));
    RP_ASSERT(!session->request);
    if (!session->waited) return enqueue(session, std::move(request));
    RP_ASSERT(session->worker != nullptr);
    session->request = std::move(request);
    session->called.store(true, std::memory_order_release);
    session->worker->awake.notify_one();
}

void Lane::enqueue(const SessionPointer& session, Request request) {
    session->waited = true;
    session->request = std::move(request);
    session->called.store(true, std::memory_order_release);
    if (stopping_) return refuse(*session, closing());
    if (waiting_.size() >= waiting_max_) {
        return refuse(*session, Error(ErrorKind::retryable, "pool-exhausted",
                                      "too many transactions are waiting for the database"));
    }
    const bool first_to_expire = session->deadline < first_deadline_;
    if (first_to_expire) first_deadline_ = session->deadline;
    waiting_.push_back(session);
    const auto idle = std::ranges::find_if(workers_, &Worker::idle);
    if (idle != workers_.end()) {
        idle->idle = false;
        idle->awake.notify_one();
    } else if (first_to_expire) {
        // Somebody has to refuse it in time, even while every worker waits for a transaction's
        // call.
        workers_.front().awake.notify_one();
    }
}

void Lane::refuse(Session& session, Error error) {
    session.over = error;
    std::exchange(session.request, std::nullopt)->reply(failure(std::move(error)));
}

void Lane::abandon(Session& session) {
    const std::lock_guard lock(mutex_);
    session.abandoned = true;
    session.called.store(true, std::memory_order_release);
    if (session.worker != nullptr && !session.over) session.worker->awake.notify_one();
}

void Lane::work(Worker& worker) {
    while (const auto session = next_waiting(worker)) {
        transact(worker, *session);
        worker.connection->checkpoint_when_due();
    }
}

Lane::SessionPointer Lane::next_waiting(Worker& worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
        refuse_late();
        if (stopping_) return nullptr;
        if (!waiting_.empty()) break;
        worker.idle = true;
        worker.awake.wait(lock);
        worker.idle = false;
    }
    SessionPointer next = std::move(waiting_.front());
    waiting_.pop_front();
    next->worker = &worker;
    return next;
}

void Lane::transact(Worker& worker, Session& session) {
    if (const auto begun = worker.connection->begin(); !begun) {
        const std::lock_guard lock(mutex_);
        return refuse(session, begun.error());
    }
    while (auto request = next_request(session)) {
        const bool commits = request->ending == Ending::commit;
        auto results = commits ? worker.connection->commit(request->calls)
                               : worker.connection->execute(request->calls);
        const bool ends = commits || !results;
        if (ends) {
            end(session, Error(ErrorKind::permanent, "statement-failed",
                               "the transaction has already ended"));
        }
        request->reply(std::move(results));
        if (ends) return;
    }
    worker.connection->rollback();
}

std::optional<Lane::Request> Lane::next_request(Session& session) {
    spin_until_called(session);
    std::unique_lock lock(mutex_);
    while (!session.request) {
        refuse_late();
        if (session.abandoned || stopping_) {
            session.over = closing();
            return std::nullopt;
        }
        if (now() >= session.deadline) {
            session.over = late("the transaction idled past its deadline and was rolled back");
            return std::nullopt;
        }
        const MonotonicTime until = std::min(session.deadline, first_deadline_);
        session.worker->awake.wait_until(lock, on_steady_clock(until));
    }
    session.called.store(false, std::memory_order_relaxed);
    return std::exchange(session.request, std::nullopt);
}

// Everybody else waits for this transaction, so its next call should not wait for a thread to wake.
void Lane::spin_until_called(const Session& session) const {
    if (!spins_) return;
    const MonotonicTime until = now() + spin_time;
    while (!session.called.load(std::memory_order_acquire) && now() < until) {}
}

void Lane::end(Session& session, Error over) {
    const std::lock_guard lock(mutex_);
    session.over = std::move(over);
}

void Lane::refuse_late() {
    const MonotonicTime at = now();
    if (at < first_deadline_) return;
    first_deadline_ = MonotonicTime::max();
    std::erase_if(waiting_, [&](const SessionPointer& session) {
        if (session->deadline > at) {
            first_deadline_ = std::min(first_deadline_, session->deadline);
            return false;
        }
        refuse(*session, late("the database was busy until the deadline"));
        return true;
    });
}

}  // namespace rushproof::sqlite
