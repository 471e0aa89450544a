// A bench in real time: one io_context, the machine's clocks, no telemetry.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <string_view>

#include "core/ports/environment.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"
#include "tests/conformance/queue/bench.hpp"

namespace rushproof::conformance {

class QuietTelemetry final : public Telemetry {
public:
    Counter& counter(std::string_view, std::string_view, Labels) override { return instrument_; }
    Gauge& gauge(std::string_view, std::string_view, Labels) override { return instrument_; }
    Distribution& duration(std::string_view, std::string_view, Labels) override {
        return instrument_;
    }
    void log(LogLevel, std::string_view, LogFields) override {}

private:
    struct Instrument final : Counter, Gauge, Distribution {
        void add(std::uint64_t) override {}
        void set(double) override {}
        void observe(double) override {}
    };
    Instrument instrument_;
};

class RealQueueBench : public QueueBench {
public:
    Clock& clock() override { return clock_; }
    Spawner& spawner() override { return spawner_; }
    void run(Task<void> task) override {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& exception) {
            thrown = exception;
            done = true;
        });
        context_.restart();
        while (!done && context_.run_one() > 0) {}
        if (thrown) { std::rethrow_exception(thrown); }
    }

protected:
    asio::io_context& context() { return context_; }
    Random& random() { return random_; }
    Telemetry& telemetry() { return telemetry_; }
    // Until nothing is left to do.
    void run_out() {
        context_.restart();
        context_.run();
    }

private:
    asio::io_context context_{1};
    RealClock clock_{context_.get_executor()};
    RealRandom random_;
    RealSpawner spawner_{context_.get_executor()};
    QuietTelemetry telemetry_;
};

}  // namespace rushproof::conformance
