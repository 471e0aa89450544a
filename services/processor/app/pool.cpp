#include "services/processor/app/pool.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/retry.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

Context step_context(const Environment& environment) {
    return Context(environment.clock.monotonic() + limits::step_timeout);
}

std::vector<std::uint64_t> deliveries_of(const std::vector<Work>& batch) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(batch.size());
    for (const Work& work : batch) { numbers.push_back(work.delivery.number); }
    return numbers;
}

}  // namespace

Pool::Pool(Environment& environment, Effects& effects, const Options& options)
    : environment_(environment),
      effects_(effects),
      options_(options),
      scope_(environment.spawner),
      lanes_(limits::lanes),
      wanted_(options.workers),
      unacknowledged_(environment.telemetry.counter(
          "processor_unacknowledged_total",
          "Messages that had their effect and may be delivered again")) {}

void Pool::start(MessageQueue& queue, Consumer& consumer, std::function<bool()> may_take) {
    queue_ = &queue;
    consumer_ = &consumer;
    may_take_ = std::move(may_take);
    stopping_ = false;
    empty_queue_ = false;
    gave_up_ = false;
    taking_ = true;
    scope_.start("processor.take", take_all());
    start_workers();
}

void Pool::set_workers(std::size_t workers) {
    wanted_ = std::clamp<std::size_t>(workers, 1, limits::workers);
    if (consumer_ != nullptr) { start_workers(); }
    work_there_.tell_all();  // those that are too many end
}

void Pool::start_workers() {
    while (running_ < wanted_) {
        ++running_;
        scope_.start("processor.work", work());
    }
}

Task<void> Pool::take_all() {
    int tries = 0;
    while (!gave_up_ && (!stopping_ || empty_queue_)) {
        if (held_ >= limits::held) {
            co_await room_there_.wait();
            continue;
        }
        if (!may_take_()) {
            co_await pause(1);
            continue;
        }
        Context context(environment_.clock.monotonic() + limits::look);
        auto taken = co_await consumer_->next(
            std::move(context), std::min(limits::taken_at_once, limits::held - held_));
        if (!taken) {
            if (tries == 0) {
                environment_.telemetry.log(LogLevel::warning, "the queue gives nothing",
                                           {{"code", taken.error().code()}});
            }
            co_await pause(++tries);
            continue;
        }
        tries = 0;
        held_ += taken->size();
        const bool none = taken->empty();
        for (Delivery& delivery : *taken) { lanes_.add(read_delivery(std::move(delivery))); }
        if (!none) { work_there_.tell_one(); }
        if (none && stopping_ && co_await is_drained()) { break; }
    }
    taking_ = false;
    work_there_.tell_all();
}

// Does the queue keep nothing but what is here?
Task<bool> Pool::is_drained() {
    const auto stats = co_await queue_->stats(step_context(environment_), options_.queue.group);
    co_return stats && stats->unfinished <= static_cast<std::int64_t>(held_);
}

Task<void> Pool::work() {
    while (running_ <= wanted_ && !gave_up_) {
        if (taking_ && lanes_.can_grow() && environment_.clock.monotonic() < gather_until_) {
            co_await sleep_until(environment_.clock, gather_until_);
            continue;
        }
        Batch batch = lanes_.take(wanted_);
        if (batch.empty()) {
            if (!taking_ && lanes_.waiting() == 0) { break; }
            co_await work_there_.wait();
            continue;
        }
        gather_until_ = environment_.clock.monotonic() + limits::gather;
        if (lanes_.has_work()) { work_there_.tell_one(); }
        ++busy_;
        std::vector<std::uint64_t> deliveries = deliveries_of(batch.work);
        const bool early = mutated(options_.mutant, Mutant::m18_acknowledged_before_effect);
        if (early) { co_await acknowledge(deliveries); }
        co_await effects_.settle(batch.work);
        --busy_;
        finished_ += batch.work.size();
        // The next of these lanes need not wait: the order is one of effects, and a repeat of what
        // is not acknowledged finds its result.
        lanes_.give_back(batch.lanes);
        scope_.start("processor.acknowledge", let_go(std::move(deliveries)));
    }
    --running_;
    // The news that woke this one may have been for another.
    work_there_.tell_one();
}

Task<void> Pool::let_go(std::vector<std::uint64_t> deliveries) {
    const std::size_t count = deliveries.size();
    if (!mutated(options_.mutant, Mutant::m18_acknowledged_before_effect)) {
        co_await acknowledge(std::move(deliveries));
    }
    held_ -= count;
    room_there_.tell_one();
    if (!taking_) { work_there_.tell_all(); }
}

Task<void> Pool::acknowledge(std::vector<std::uint64_t> deliveries) {
    for (int tries = 1;; ++tries) {
        const auto done = co_await consumer_->acknowledge(step_context(environment_), deliveries);
        if (done) { co_return; }
        if (tries == limits::acknowledge_tries || done.error().kind() == ErrorKind::permanent) {
            break;
        }
        co_await pause(tries);
    }
    unacknowledged_.add(deliveries.size());  // a repeat of them finds their results
}

Task<void> Pool::pause(int tries) {
    const Duration pause = back_off(limits::retry_policy, tries, environment_.random);
    co_await sleep_for(environment_.clock, pause);
}

Task<void> Pool::finish() {
    stopping_ = true;
    room_there_.tell_all();
    co_await scope_.join();
    consumer_ = nullptr;
}

Task<void> Pool::stop(bool empty_queue, Duration grace) {
    stopping_ = true;
    empty_queue_ = empty_queue;
    room_there_.tell_all();
    Scope timer(environment_.spawner);
    timer.start("processor.grace", give_up_after(grace));
    co_await scope_.join();
    timer.cancel();
    co_await timer.join();
}

Task<void> Pool::give_up_after(Duration grace) {
    co_await sleep_for(environment_.clock, grace);
    gave_up_ = true;
    work_there_.tell_all();
    room_there_.tell_all();
    scope_.cancel();
}

}  // namespace rushproof::processor
