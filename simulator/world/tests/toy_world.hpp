// A world of a few hosts for tests, with a service that uses every way of waiting.
#pragma once
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/ports/clock.hpp"
#include "simulator/world/host.hpp"
#include "simulator/world/network.hpp"
#include "simulator/world/scheduler.hpp"

namespace rushproof::simulator {

struct ToyWorld {
    explicit ToyWorld(SchedulerOptions options = {}, Tape with_tape = {}, LinkOptions links = {})
        : tape(std::move(with_tape)), scheduler(options, trace, tape), network(scheduler, links) {}
    explicit ToyWorld(std::uint64_t seed) : ToyWorld(SchedulerOptions{.seed = seed}) {}

    Trace trace{0, 0};
    Tape tape;
    Scheduler scheduler;
    Network network;
};

// Lives in frames and counts them: whoever is left over is a leak.
class Resident {
public:
    explicit Resident(std::int64_t& count) : count_(count) { ++count_; }
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;
    ~Resident() { --count_; }

private:
    std::int64_t& count_;
};

// Producers and consumers over a bounded channel, timers that race, waits that nobody answers, and
// calls to a neighbour.
class ToyService {
public:
    using Channel = asio::experimental::channel<void(boost::system::error_code, std::int64_t)>;

    ToyService(Network& network, Host& host, Machine& neighbour, std::int64_t& residents)
        : network_(network),
          host_(host),
          neighbour_(neighbour),
          residents_(residents),
          channel_(asio::any_io_executor(host.executor("channel")), 4) {
        host.listen();
    }

    void start(int copies, std::uint64_t payload = 7) {
        for (int i = 0; i < copies; ++i) {
            host_.spawn("produce", produce(i % 7));
            host_.spawn("consume", consume());
            host_.spawn("race", race());
            host_.spawn("forever", wait_forever());
            host_.spawn("ask", ask(payload));
        }
    }

    std::int64_t answers() const { return answers_; }
    std::int64_t consumed() const { return consumed_; }

private:
    Task<std::int64_t> sleep(std::int64_t microseconds) {
        const Resident resident(residents_);
        co_await sleep_for(host_.clock(), std::chrono::microseconds(microseconds));
        co_return microseconds;
    }
    Task<void> produce(std::int64_t pace) {
        const Resident resident(residents_);
        for (;;) {
            const std::int64_t value = co_await sleep(1 + pace);
            co_await channel_.async_send(boost::system::error_code(), value, asio::use_awaitable);
        }
    }
    Task<void> consume() {
        const Resident resident(residents_);
        for (;;) { consumed_ += co_await channel_.async_receive(asio::use_awaitable); }
    }
    Task<void> race() {
        using namespace asio::experimental::awaitable_operators;
        const Resident resident(residents_);
        for (;;) {
            const auto winner = co_await (sleep(3) || sleep(50));
            const auto both = co_await (sleep(1) && sleep(2));
            static_cast<void>(winner);
            static_cast<void>(both);
        }
    }
    Task<void> wait_forever() {
        const Resident resident(residents_);
        auto start = [](ReplyTo<std::int64_t>) {};
        co_await host_.reply<std::int64_t>("nothing", std::nullopt, std::move(start));
    }
    Task<void> ask(std::uint64_t payload) {
        for (;;) {
            const Resident resident(residents_);
            const Context context(host_.clock().monotonic() + std::chrono::milliseconds(2));
            auto handler = [this_count = &residents_](Host& target,
                                                      Context) -> Task<Result<std::int64_t>> {
                const Resident guest(*this_count);
                co_await sleep_for(target.clock(), std::chrono::microseconds(20));
                co_return 1;
            };
            const Result<std::int64_t> answer = co_await network_.call<std::int64_t>(
                host_, neighbour_, "toy.Ask", payload, context, std::move(handler));
            if (answer) { answers_ += *answer; }
            if (!answer) { co_await sleep(100); }
        }
    }

    Network& network_;
    Host& host_;
    Machine& neighbour_;
    std::int64_t& residents_;
    std::int64_t answers_ = 0;
    std::int64_t consumed_ = 0;
    Channel channel_;
};

// A process as its owner keeps it: the service goes before the host.
struct ToyProcess {
    ToyProcess(Network& network, Machine& machine, Machine& neighbour, std::int64_t& residents)
        : host(std::make_unique<Host>(machine)),
          service(std::make_unique<ToyService>(network, *host, neighbour, residents)) {}
    ToyProcess(ToyProcess&&) = default;
    ToyProcess& operator=(ToyProcess&&) = delete;
    ToyProcess(const ToyProcess&) = delete;
    ToyProcess& operator=(const ToyProcess&) = delete;
    ~ToyProcess() { end(); }

    void end() {
        if (!host) { return; }
        host->crash();
        service.reset();
        host.reset();
    }

    std::unique_ptr<Host> host;
    std::unique_ptr<ToyService> service;
};

}  // namespace rushproof::simulator
