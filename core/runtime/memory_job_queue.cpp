#include "core/runtime/memory_job_queue.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <utility>

#include "core/runtime/wakeup.hpp"

namespace rushproof {

namespace {

std::size_t bytes_of(const Job& job) {
    std::size_t bytes = job.id.size() + job.body.size();
    for (const auto& [name, value] : job.headers) { bytes += name.size() + value.size(); }
    return bytes;
}

Error unknown_delivery() {
    return {ErrorKind::permanent, "unknown-delivery", "a number that nobody holds"};
}

}  // namespace

class MemoryJobQueue::State {
public:
    State(Clock& world, MemoryJobQueueOptions options) : clock(world), options_(options) {}

    Result<void> put(Job job) {
        if (bytes_of(job) > options_.job_bytes) {
            return failure(ErrorKind::permanent, "too-large",
                           "a job has " + std::to_string(options_.job_bytes) + " bytes at most");
        }
        if (ids_.contains(job.id)) { return {}; }
        if (ids_.size() >= options_.capacity) {
            return failure(ErrorKind::retryable, "queue-full",
                           "the queue keeps " + std::to_string(ids_.size()) + " jobs");
        }
        ids_.insert(job.id);
        wait(clock.monotonic(), {std::move(job), 0});
        return {};
    }

    std::optional<JobDelivery> take() {
        if (waiting_.empty() || waiting_.begin()->first.first > clock.monotonic()) {
            return std::nullopt;
        }
        auto next = waiting_.extract(waiting_.begin());
        JobDelivery delivery{std::move(next.mapped().job), ++last_number_,
                             next.mapped().failures + 1};
        taken_.emplace(delivery.number, delivery);
        return delivery;
    }

    // When there may be something to take, at the latest at `deadline`.
    MonotonicTime look_again(MonotonicTime deadline) const {
        return waiting_.empty() ? deadline : std::min(deadline, waiting_.begin()->first.first);
    }

    Result<void> done(std::uint64_t number) {
        const auto taken = taken_.extract(number);
        if (taken.empty()) { return failure(unknown_delivery()); }
        ids_.erase(taken.mapped().job.id);
        return {};
    }

    Result<void> failed(std::uint64_t number, std::string reason) {
        auto taken = taken_.extract(number);
        if (taken.empty()) { return failure(unknown_delivery()); }
        JobDelivery& delivery = taken.mapped();
        if (delivery.attempt >= options_.tries) {
            dead_.push_back({std::move(delivery.job), std::move(reason), delivery.attempt});
            return {};
        }
        ++retried_;
        wait(clock.monotonic() + options_.retry_delay, {std::move(delivery.job), delivery.attempt});
        return {};
    }

    std::vector<DeadJob> dead(std::size_t limit) const {
        const std::size_t count = std::min(limit, dead_.size());
        return {dead_.begin(), dead_.begin() + static_cast<std::ptrdiff_t>(count)};
    }

    bool revive() {
        if (dead_.empty()) { return false; }
        wait(clock.monotonic(), {std::move(dead_.front().job), 0});
        dead_.pop_front();
        return true;
    }

    JobStats stats() const {
        return {static_cast<std::int64_t>(waiting_.size()), static_cast<std::int64_t>(dead_.size()),
                retried_};
    }

    Clock& clock;
    std::list<Wakeup> takers;

private:
    struct Waiting {
        Job job;
        std::int64_t failures;
    };

    void wait(MonotonicTime due, Waiting job) {
        waiting_.emplace(std::pair(due, ++last_sequence_), std::move(job));
        for (Wakeup& taker : takers) { taker.wake(); }
    }

    MemoryJobQueueOptions options_;
    std::map<std::pair<MonotonicTime, std::uint64_t>, Waiting> waiting_;  // by when they are due
    std::map<std::uint64_t, JobDelivery> taken_;                          // by number
    std::deque<DeadJob> dead_;
    std::set<std::string> ids_;  // of all of them
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_number_ = 0;
    std::uint64_t retried_ = 0;
};

MemoryJobQueue::MemoryJobQueue(Environment& environment, MemoryJobQueueOptions options)
    : state_(std::make_shared<State>(environment.clock, options)) {}

MemoryJobQueue::~MemoryJobQueue() = default;

Task<Result<void>> MemoryJobQueue::put(Context, Job job) { co_return state_->put(std::move(job)); }

namespace {

// One who takes, for as long as the call lasts, however it ends.
class Taker {
public:
    explicit Taker(std::list<Wakeup>& takers)
        : takers_(takers), self_(takers.emplace(takers.end())) {}
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;
    ~Taker() { takers_.erase(self_); }

    Wakeup& arrival() { return *self_; }

private:
    std::list<Wakeup>& takers_;
    std::list<Wakeup>::iterator self_;
};

}  // namespace

Task<Result<std::optional<JobDelivery>>> MemoryJobQueue::take(Context context) {
    const std::shared_ptr<State> state = state_;
    Taker taker(state->takers);
    while (true) {
        std::optional<JobDelivery> taken = state->take();
        if (taken || state->clock.monotonic() >= context.deadline) { co_return taken; }
        const MonotonicTime again = state->look_again(context.deadline);
        co_await taker.arrival().wait_until(state->clock, again);
    }
}

Task<Result<void>> MemoryJobQueue::done(Context, std::uint64_t number) {
    co_return state_->done(number);
}

Task<Result<void>> MemoryJobQueue::failed(Context, std::uint64_t number, std::string reason) {
    co_return state_->failed(number, std::move(reason));
}

Task<Result<std::vector<DeadJob>>> MemoryJobQueue::dead(Context, std::size_t limit) {
    co_return state_->dead(limit);
}

Task<Result<bool>> MemoryJobQueue::revive(Context) { co_return state_->revive(); }

Task<Result<JobStats>> MemoryJobQueue::stats(Context) { co_return state_->stats(); }

}  // namespace rushproof
