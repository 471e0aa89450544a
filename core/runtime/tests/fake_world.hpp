// A tiny world for unit tests: one io_context, and a clock that jumps to the next timer whenever
// nothing else can run.  Random numbers count up, telemetry keeps what was logged and counted.
#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/queues.hpp"
#include "core/ports/random.hpp"
#include "core/ports/spawner.hpp"
#include "core/ports/telemetry.hpp"

namespace rushproof {

class FakeWorld final : public Clock, public Random, public Spawner, public Telemetry {
public:
    FakeWorld() = default;
    FakeWorld(const FakeWorld&) = delete;
    FakeWorld& operator=(const FakeWorld&) = delete;
    ~FakeWorld() override { timers_.clear(); }

    MonotonicTime monotonic() const override { return now_; }
    WallTime wall() const override {
        return WallTime(std::chrono::floor<std::chrono::microseconds>(now_.time_since_epoch()) +
                        wall_offset);
    }
    void wait_until(MonotonicTime at, WaitHandler handler) override {
        const std::pair key(at, ++timers_started_);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
            slot.assign([this, key](asio::cancellation_type) {
                fire(key, asio::error::operation_aborted);
            });
        }
        timers_.emplace(key, std::move(handler));
    }

    std::uint64_t next() override { return mix64(++draws_); }
    asio::any_io_executor executor(std::string_view) override { return context_.get_executor(); }

    // Runs until nothing is left to do, or until `end`.
    void run(MonotonicTime end = MonotonicTime::max()) {
        while (true) {
            context_.restart();
            context_.poll();
            if (timers_.empty() || timers_.begin()->first.first > end) { break; }
            now_ = std::max(now_, timers_.begin()->first.first);
            fire(timers_.begin()->first, {});
        }
        if (end != MonotonicTime::max()) { now_ = end; }
    }
    void run_for(Duration duration) { run(now_ + duration); }

    // Starts the task and runs until nothing is left to do; empty if the task did not end.
    template <class T>
    std::optional<T> finish(Task<T> task) {
        std::optional<T> result;
        asio::co_spawn(context_, std::move(task),
                       [&result](const std::exception_ptr& exception, T value) {
                           if (exception) { std::rethrow_exception(exception); }
                           result.emplace(std::move(value));
                       });
        run();
        return result;
    }

    Counter& counter(std::string_view name, std::string_view, Labels labels) override {
        std::string series(name);
        for (const auto& [label, value] : labels) { series += ' ' + value; }
        return counts_[std::move(series)];
    }
    // Of a counter, by its name and the values of its labels: "calls_total done".
    std::uint64_t count(const std::string& series) const {
        const auto known = counts_.find(series);
        return known == counts_.end() ? 0 : known->second.total;
    }
    Gauge& gauge(std::string_view, std::string_view, Labels) override { return instrument_; }
    Distribution& duration(std::string_view, std::string_view, Labels) override {
        return instrument_;
    }
    void log(LogLevel, std::string_view event, LogFields) override { logged.emplace_back(event); }

    std::vector<std::string> logged;
    NoQueues queues;
    std::chrono::microseconds wall_offset = std::chrono::hours(24 * 365 * 50);

private:
    struct Count final : Counter {
        void add(std::uint64_t count) override { total += count; }
        std::uint64_t total = 0;
    };
    struct Instrument final : Gauge, Distribution {
        void set(double) override {}
        void observe(double) override {}
    };
    using TimerKey = std::pair<MonotonicTime, std::uint64_t>;

    void fire(TimerKey key, boost::system::error_code error) {
        auto timer = timers_.extract(key);
        if (timer.empty()) { return; }
        asio::post(context_, [handler = std::move(timer.mapped()), error]() mutable {
            std::move(handler)(error);
        });
    }

    asio::io_context context_{1};
    std::map<TimerKey, WaitHandler> timers_;
    std::uint64_t timers_started_ = 0;
    std::uint64_t draws_ = 0;
    MonotonicTime now_{std::chrono::seconds(1)};
    std::map<std::string, Count> counts_;
    Instrument instrument_;
};

}  // namespace rushproof
