// Goal: a host can die at any step and leaves nothing behind; its clocks, pauses and waits do what
// they promise.  Method: a busy toy service whose frames are counted, crashed at every step; small
// coroutines whose wake-up times are compared with the clock.
#include "simulator/world/host.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <stdexcept>
#include <vector>

#include "simulator/world/tests/toy_world.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

void crash_and_restart_at(std::uint64_t seed, std::uint64_t step) {
    std::int64_t residents = 0;
    {
        ToyWorld world(seed);
        Machine& left = world.scheduler.add_machine("toy/0");
        Machine& right = world.scheduler.add_machine("toy/1");
        ToyProcess survivor(world.network, right, left, residents);
        survivor.service->start(2);
        {
            ToyProcess victim(world.network, left, right, residents);
            victim.service->start(2);
            ASSERT_EQ(world.scheduler.run_until(seconds(1), step), RunEnd::step_limit);
        }
        ToyProcess successor(world.network, left, right, residents);
        successor.service->start(1);
        EXPECT_EQ(successor.host->incarnation(), 2u);
        world.scheduler.run_until(world.scheduler.now() + milliseconds(3), step + 100);
        EXPECT_GT(residents, 0);
    }
    ASSERT_EQ(residents, 0) << "seed " << seed << ", crash at step " << step;
}

TEST(Host, LeavesNothingBehindWhereverItDies) {
    for (std::uint64_t step = 1; step <= 300; ++step) { crash_and_restart_at(1, step); }
}

TEST(Host, LeavesNothingBehindInAnySchedule) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) { crash_and_restart_at(seed, 2 * seed); }
}

TEST(Host, CrashAskedForInAStepWaitsForItsEnd) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    std::vector<std::string> log;
    host.spawn("suicide", [](Host& self, std::vector<std::string>& lines) -> Task<void> {
        self.scheduler().between_steps([&] { self.crash(); });
        lines.push_back(self.alive() ? "alive" : "dead");
        co_await sleep_for(self.clock(), microseconds(1));
        lines.push_back("not reached");
    }(host, log));
    EXPECT_EQ(world.scheduler.run_until(seconds(1)), RunEnd::idle);
    EXPECT_EQ(log, std::vector<std::string>{"alive"});
    EXPECT_FALSE(host.alive());
    EXPECT_EQ(host.machine().host(), nullptr);
}

TEST(Host, ExceptionsEndTheRun) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    host.spawn("thrower", []() -> Task<void> {
        throw std::runtime_error("ours");
        co_return;
    }());
    EXPECT_THROW(world.scheduler.run_until(seconds(1)), std::runtime_error);
    EXPECT_EQ(world.scheduler.running(), nullptr);
}

Task<void> note_wake_up(Host& host, Duration after, std::vector<Duration>& wakes) {
    co_await sleep_for(host.clock(), after);
    wakes.push_back(host.scheduler().now());
}

TEST(Host, TimersFollowDriftAndAreNeverEarly) {
    ToyWorld world;
    Host fast(world.scheduler.add_machine("fast", {.drift_ppm = 100'000}));
    Host slow(world.scheduler.add_machine("slow", {.drift_ppm = -100'000}));
    std::vector<Duration> wakes;
    fast.spawn("sleep", note_wake_up(fast, milliseconds(11), wakes));
    slow.spawn("sleep", note_wake_up(slow, milliseconds(9), wakes));
    world.scheduler.run_until(seconds(1));
    ASSERT_EQ(wakes.size(), 2u);
    for (const Duration wake : wakes) {
        EXPECT_GE(wake, milliseconds(10));
        EXPECT_LT(wake, milliseconds(10) + microseconds(10));
    }
}

TEST(Host, PendingTimersFollowAChangeOfDrift) {
    ToyWorld world;
    Machine& machine = world.scheduler.add_machine("a");
    Host host(machine);
    std::vector<Duration> wakes;
    host.spawn("sleep", note_wake_up(host, milliseconds(10), wakes));
    world.scheduler.at(milliseconds(5), [&] { machine.set_drift(1'000'000); });  // twice as fast
    world.scheduler.run_until(seconds(1));
    ASSERT_EQ(wakes.size(), 1u);
    EXPECT_NEAR(static_cast<double>(wakes[0].count()), 7.5e6, 1e4);
}

TEST(Host, PausedHostRunsNothingAndWakesLate) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    std::vector<Duration> wakes;
    for (int i = 1; i <= 5; ++i) {
        host.spawn("sleep", note_wake_up(host, milliseconds(i), wakes));
    }
    world.scheduler.at(microseconds(2500), [&] { host.pause(); });
    world.scheduler.at(milliseconds(20), [&] { host.resume(); });
    world.scheduler.run_until(milliseconds(19));
    EXPECT_EQ(wakes.size(), 2u);
    world.scheduler.run_until(milliseconds(21));
    ASSERT_EQ(wakes.size(), 5u);
    for (std::size_t i = 2; i < 5; ++i) {
        EXPECT_GE(wakes[i], milliseconds(20));
        EXPECT_LT(wakes[i], milliseconds(20) + microseconds(20));
    }
    EXPECT_EQ(host.clock().monotonic().time_since_epoch(), milliseconds(21));
}

TEST(Host, CancelledTimersAreErased) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    asio::cancellation_signal signal;
    boost::system::error_code result;
    const auto start = host.clock().monotonic();
    host.clock().wait_until(
        start + seconds(100),
        asio::bind_cancellation_slot(signal.slot(),
                                     [&](boost::system::error_code code) { result = code; }));
    world.scheduler.run_until(milliseconds(1));
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_FALSE(result) << "completed inline";
    EXPECT_EQ(world.scheduler.run_until(milliseconds(2)), RunEnd::idle)
        << "the timer is still there";
    EXPECT_EQ(result, asio::error::operation_aborted);
    signal.emit(asio::cancellation_type::terminal);  // too late: harmless
    EXPECT_EQ(world.scheduler.run_until(milliseconds(3)), RunEnd::idle);
}

TEST(Host, LateAnswersAreIgnored) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    ReplyTo<std::int64_t> to;
    std::vector<std::string> outcomes;
    const auto wait = [&](MonotonicTime deadline) -> Task<void> {
        auto start = [&](ReplyTo<std::int64_t> reply) { to = reply; };
        const Result<std::int64_t> result =
            co_await host.reply<std::int64_t>("test", deadline, std::move(start));
        outcomes.push_back(result ? std::to_string(*result) : result.error().code());
    };
    const auto start = host.clock().monotonic();
    host.spawn("first", wait(start + milliseconds(1)));
    world.scheduler.run_until(milliseconds(2));
    EXPECT_TRUE(world.scheduler.waiting().empty());
    EXPECT_FALSE(host.answer(to, Result<std::int64_t>(1)));

    host.spawn("second", wait(start + milliseconds(10)));
    world.scheduler.run_until(milliseconds(3));
    EXPECT_EQ(world.scheduler.waiting().size(), 1u);
    EXPECT_TRUE(host.answer(to, Result<std::int64_t>(2)));
    EXPECT_FALSE(host.answer(to, Result<std::int64_t>(3)));
    EXPECT_EQ(outcomes.size(), 1u) << "completed inline";
    EXPECT_EQ(world.scheduler.run_until(milliseconds(4)), RunEnd::idle)
        << "its timer is still there";
    EXPECT_EQ(outcomes, (std::vector<std::string>{"deadline-exceeded", "2"}));
}

TEST(Host, WaitsAreCancellable) {
    using namespace asio::experimental::awaitable_operators;
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    std::size_t winner = 99;
    const auto race = [&]() -> Task<void> {
        auto start = [](ReplyTo<std::int64_t>) {};
        const auto first = co_await (
            host.reply<std::int64_t>("test", std::nullopt, std::move(start))(asio::use_awaitable) ||
            sleep_for(host.clock(), milliseconds(1)));
        winner = first.index();
    };
    host.spawn("race", race());
    EXPECT_EQ(world.scheduler.run_until(seconds(1)), RunEnd::idle);
    EXPECT_EQ(winner, 1u);
    EXPECT_TRUE(world.scheduler.waiting().empty());
}

TEST(Host, ARaceMayBeWonBeforeTheOthersHaveBegun) {
    using namespace asio::experimental::awaitable_operators;
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    std::vector<std::size_t> winners;
    const auto at_once = []() -> Task<void> { co_return; };
    const auto races = [&]() -> Task<void> {
        const auto first = co_await (at_once() || sleep_for(host.clock(), seconds(1)));
        winners.push_back(first.index());
        const auto second = co_await (sleep_for(host.clock(), seconds(1)) || at_once());
        winners.push_back(second.index());
    };
    host.spawn("races", races());
    EXPECT_EQ(world.scheduler.run_until(milliseconds(1)), RunEnd::idle);
    EXPECT_EQ(winners, (std::vector<std::size_t>{0, 1}));
}

TEST(Host, CompletionsGoThroughTheHandlersOwnExecutor) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    const auto strand = asio::make_strand(asio::any_io_executor(host.executor("strand")));
    bool in_strand = false;
    host.clock().wait_until(host.clock().monotonic(),
                            asio::bind_executor(strand, [&](boost::system::error_code) {
                                in_strand = strand.running_in_this_thread();
                            }));
    EXPECT_EQ(world.scheduler.run_until(milliseconds(1)), RunEnd::idle);
    EXPECT_TRUE(in_strand);
}

TEST(Host, RandomIsKeyedByNameAndIncarnation) {
    const auto first_draw = [](std::uint64_t seed, const std::string& name, int incarnations) {
        ToyWorld world(seed);
        Machine& machine = world.scheduler.add_machine(name);
        for (int i = 1; i < incarnations; ++i) { const Host earlier(machine); }
        Host host(machine);
        return host.random().next();
    };
    EXPECT_EQ(first_draw(1, "a", 1), first_draw(1, "a", 1));
    EXPECT_NE(first_draw(1, "a", 1), first_draw(2, "a", 1));
    EXPECT_NE(first_draw(1, "a", 1), first_draw(1, "b", 1));
    EXPECT_NE(first_draw(1, "a", 1), first_draw(1, "a", 2));
}

}  // namespace
}  // namespace rushproof::simulator
