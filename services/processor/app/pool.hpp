// The workers: takes messages from a consumer, spreads them over lanes by key, and acknowledges
// each after its effect.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/scope.hpp"
#include "services/processor/app/effects.hpp"
#include "services/processor/app/notice.hpp"
#include "services/processor/domain/lanes.hpp"

namespace rushproof::processor {

class Pool {
public:
    // All outlive the pool.
    Pool(Environment& environment, Effects& effects, const Options& options);

    // Takes from the consumer, while it may.  Both outlive what the pool does until finish() or
    // stop(); after that it may start anew.
    void start(MessageQueue& queue, Consumer& consumer, std::function<bool()> may_take);

    // At any time; no order is broken, and nobody waits for it.  At least one.
    void set_workers(std::size_t workers);
    std::size_t workers() const { return wanted_; }
    std::size_t busy() const { return busy_; }
    // Taken and not acknowledged.
    std::size_t held() const { return held_; }
    // Since the process started: that had their effect.
    std::uint64_t finished() const { return finished_; }

    // Takes nothing more; returns when everything that it has had its effect, however long that
    // takes.
    Task<void> finish();
    // Finishes and acknowledges what it has; with `empty_queue` takes until the queue is empty,
    // too. What is not done within `grace` is left.
    Task<void> stop(bool empty_queue, Duration grace);

private:
    Task<void> take_all();
    Task<bool> is_drained();
    Task<void> work();
    Task<void> acknowledge(std::vector<std::uint64_t> deliveries);
    Task<void> let_go(std::vector<std::uint64_t> deliveries);
    void start_workers();
    Task<void> give_up_after(Duration grace);
    Task<void> pause(int tries);

    Environment& environment_;
    Effects& effects_;
    const Options& options_;
    Scope scope_;
    MessageQueue* queue_ = nullptr;
    Consumer* consumer_ = nullptr;
    std::function<bool()> may_take_;
    Lanes lanes_;
    Notice work_there_;
    Notice room_there_;
    std::size_t wanted_;
    std::size_t running_ = 0;
    std::size_t busy_ = 0;
    std::size_t held_ = 0;
    std::uint64_t finished_ = 0;
    MonotonicTime gather_until_{};
    bool taking_ = false;
    bool stopping_ = false;
    bool empty_queue_ = false;
    bool gave_up_ = false;
    Counter& unacknowledged_;
};

}  // namespace rushproof::processor
