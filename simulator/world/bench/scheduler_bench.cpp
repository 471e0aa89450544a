// Goal: what one step of virtual time costs.  Method: coroutines over any_io_executor that do
// nothing but hand over; steps per second by each way of waiting.
#include <benchmark/benchmark.h>

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <vector>

#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"
#include "simulator/world/scheduler.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::uint64_t steps_per_iteration = 200'000;

struct World {
    Trace trace{0, 0};
    Tape tape;
    Scheduler scheduler{SchedulerOptions{}, trace, tape};
    Network network{scheduler};
};

template <class Start>
void run(benchmark::State& state, int hosts, Start start) {
    std::uint64_t steps = 0;
    for (auto _ : state) {
        World world;
        std::vector<std::unique_ptr<Host>> running;
        for (int i = 0; i < hosts; ++i) {
            Machine& machine = world.scheduler.add_machine("host/" + std::to_string(i));
            running.push_back(std::make_unique<Host>(machine));
            running.back()->listen();
        }
        for (const auto& host : running) { start(world, *host); }
        world.scheduler.run_until(std::chrono::hours(1), steps_per_iteration);
        steps += world.scheduler.steps();
    }
    state.counters["steps/s"] =
        benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsRate);
}

Task<void> yield_for_ever() {
    for (;;) { co_await asio::post(asio::use_awaitable); }
}
void bare(benchmark::State& state) {
    run(state, 4, [](World&, Host& host) {
        for (int i = 0; i < 4; ++i) { host.spawn("yield", yield_for_ever()); }
    });
}
BENCHMARK(bare)->Unit(benchmark::kMillisecond);

using Channel = asio::experimental::channel<void(boost::system::error_code, std::int64_t)>;

Task<void> ping(std::shared_ptr<Channel> there, std::shared_ptr<Channel> back) {
    for (std::int64_t ball = 0;; ++ball) {
        co_await there->async_send(boost::system::error_code(), ball, asio::use_awaitable);
        benchmark::DoNotOptimize(co_await back->async_receive(asio::use_awaitable));
    }
}
Task<void> pong(std::shared_ptr<Channel> there, std::shared_ptr<Channel> back) {
    for (;;) {
        const std::int64_t ball = co_await there->async_receive(asio::use_awaitable);
        co_await back->async_send(boost::system::error_code(), ball, asio::use_awaitable);
    }
}
void channels(benchmark::State& state) {
    run(state, 4, [](World&, Host& host) {
        for (int i = 0; i < 4; ++i) {
            const asio::any_io_executor executor = host.executor("channel");
            const auto there = std::make_shared<Channel>(executor, 1);
            const auto back = std::make_shared<Channel>(executor, 1);
            host.spawn("ping", ping(there, back));
            host.spawn("pong", pong(there, back));
        }
    });
}
BENCHMARK(channels)->Unit(benchmark::kMillisecond);

Task<void> sleep_for_ever(Host& host) {
    for (;;) { co_await sleep_for(host.clock(), std::chrono::microseconds(50)); }
}
void timers(benchmark::State& state) {
    run(state, 4, [](World&, Host& host) {
        for (int i = 0; i < 64; ++i) { host.spawn("sleep", sleep_for_ever(host)); }
    });
}
BENCHMARK(timers)->Unit(benchmark::kMillisecond);

Task<void> call_for_ever(World& world, Host& host, Machine& target) {
    for (;;) {
        const Context context(host.clock().monotonic() + std::chrono::seconds(1));
        auto handler = [](Host&, Context) -> Task<Result<std::int64_t>> { co_return 1; };
        benchmark::DoNotOptimize(co_await world.network.call<std::int64_t>(
            host, target, "bench.Call", 7, context, std::move(handler)));
    }
}
void calls(benchmark::State& state) {
    run(state, 4, [](World& world, Host& host) {
        Machine& target = world.scheduler.machines().front();
        for (int i = 0; i < 16; ++i) { host.spawn("call", call_for_ever(world, host, target)); }
    });
}
BENCHMARK(calls)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rushproof::simulator

BENCHMARK_MAIN();
