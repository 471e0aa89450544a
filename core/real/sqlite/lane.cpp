#include "core/real/sqlite/lane.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "core/base/assert.hpp"

namespace rushproof::sqlite {

namespace {

using SteadyClock = std::chrono::steady_clock;

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
            lane->submit(*session, std::move(request));
        };
        return asio::async_initiate<const asio::use_awaitable_t<>&,
                                    void(Result<std::vector<Rows>>)>(
            std::move(initiate), asio::use_awaitable, std::move(calls));
    }

    std::shared_ptr<Lane> lane_;
    std::shared_ptr<Lane::Session> session_;
};

Lane::Lane(std::vector<std::unique_ptr<Connection>> connections, std::size_t waiting_max)
    : waiting_max_(waiting_max) {
    for (auto& connection : connections) workers_.emplace_back(std::move(connection));
    for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { work(worker); });
}

Lane::~Lane() { stop(); }

void Lane::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (Waiting& waiting : waiting_) waiting.reply(failure(closing()));
        waiting_.clear();
    }
    for (Worker& worker : workers_) worker.awake.notify_one();
    for (Worker& worker : workers_) {
        if (worker.thread.joinable()) worker.thread.join();
        worker.connection.reset();
    }
}

Task<Result<std::unique_ptr<Transaction>>> Lane::begin(MonotonicTime deadline) {
    auto initiate = [lane = shared_from_this(), deadline](auto handler) {
        BeginReply reply(std::move(handler));
        lane->enqueue(Waiting{deadline, std::move(reply)});
    };
    return asio::async_initiate<const asio::use_awaitable_t<>&,
                                void(Result<std::unique_ptr<Transaction>>)>(std::move(initiate),
                                                                            asio::use_awaitable);
}

void Lane::enqueue(Waiting waiting) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return waiting.reply(failure(closing()));
    if (waiting_.size() >= waiting_max_) {
        return waiting.reply(failure(ErrorKind::retryable, "pool-exhausted",
                                     "too many transactions are waiting for the database"));
    }
    const bool first_to_expire = waiting.deadline < first_deadline_;
    if (first_to_expire) first_deadline_ = waiting.deadline;
    waiting_.push_back(std::move(waiting));
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

void Lane::submit(Session& session, Request request) {
    const std::lock_guard lock(mutex_);
    if (session.over) return request.reply(failure(*session.over));
    RP_ASSERT(!session.request);
    session.request = std::move(request);
    session.worker.awake.notify_one();
}

void Lane::abandon(Session& session) {
    const std::lock_guard lock(mutex_);
    session.abandoned = true;
    if (!session.over) session.worker.awake.notify_one();
}

void Lane::work(Worker& worker) {
    while (auto waiting = next_waiting(worker)) {
        transact(worker, *std::move(waiting));
        worker.connection->checkpoint_when_due();
    }
}

std::optional<Lane::Waiting> Lane::next_waiting(Worker& worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
        refuse_late();
        if (stopping_) return std::nullopt;
        if (!waiting_.empty()) break;
        worker.idle = true;
        worker.awake.wait(lock);
        worker.idle = false;
    }
    std::optional<Waiting> next(std::move(waiting_.front()));
    waiting_.pop_front();
    return next;
}

void Lane::transact(Worker& worker, Waiting waiting) {
    if (const auto begun = worker.connection->begin(); !begun) {
        return waiting.reply(failure(begun.error()));
    }
    const auto session = std::make_shared<Session>(worker, waiting.deadline);
    waiting.reply(std::make_unique<LaneTransaction>(shared_from_this(), session));
    while (auto request = next_request(*session)) {
        const bool commits = request->ending == Ending::commit;
        auto results = commits ? worker.connection->commit(request->calls)
                               : worker.connection->execute(request->calls);
        const bool ends = commits || !results;
        if (ends) {
            end(*session, Error(ErrorKind::permanent, "statement-failed",
                                "the transaction has already ended"));
        }
        request->reply(std::move(results));
        if (ends) return;
    }
    worker.connection->rollback();
}

std::optional<Lane::Request> Lane::next_request(Session& session) {
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
        session.worker.awake.wait_until(lock, on_steady_clock(until));
    }
    return std::exchange(session.request, std::nullopt);
}

void Lane::end(Session& session, Error over) {
    const std::lock_guard lock(mutex_);
    session.over = std::move(over);
}

void Lane::refuse_late() {
    const MonotonicTime at = now();
    if (at < first_deadline_) return;
    first_deadline_ = MonotonicTime::max();
    // Not erase_if: assigning an any_completion_handler of Boost 1.81 never returns.
    std::deque<Waiting> kept;
    for (Waiting& waiting : waiting_) {
        if (waiting.deadline > at) {
            first_deadline_ = std::min(first_deadline_, waiting.deadline);
            kept.push_back(std::move(waiting));
        } else {
            waiting.reply(failure(late("the database was busy until the deadline")));
        }
    }
    waiting_.swap(kept);
}

}  // namespace rushproof::sqlite
