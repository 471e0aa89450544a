// Goal: a run is a function of its seed; every schedule, the tape and the accounting of time do
// what they promise.  Method: the toy service under many seeds, compared by trace hash; small hosts
// whose order of steps is written down.
#include "simulator/world/scheduler.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "simulator/world/compare.hpp"
#include "simulator/world/tests/toy_world.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct ToyRun {
    TraceSummary trace;
    std::string tape;
    std::optional<std::string> misalignment;
};

ToyRun run_toys(SchedulerOptions options, Tape tape = {}, std::uint64_t payload = 7) {
    std::int64_t residents = 0;
    ToyWorld world(options, std::move(tape));
    Machine& left = world.scheduler.add_machine("toy/0");
    Machine& right = world.scheduler.add_machine("toy/1");
    ToyProcess first(world.network, left, right, residents);
    ToyProcess second(world.network, right, left, residents);
    first.service->start(2, payload);
    second.service->start(2, payload);
    world.scheduler.run_until(milliseconds(1));
    EXPECT_GT(world.scheduler.steps(), 500u);
    EXPECT_GT(first.service->answers() + first.service->consumed(), 0);
    return {world.trace.summary(), world.tape.text(), world.tape.misalignment(true)};
}

TEST(Scheduler, SameSeedSameRunOtherSeedOtherRun) {
    std::set<std::string> hashes;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        const ToyRun run = run_toys({.seed = seed});
        EXPECT_EQ(run.trace.hash, run_toys({.seed = seed}).trace.hash);
        hashes.insert(run.trace.hash);
    }
    EXPECT_EQ(hashes.size(), 25u);
}

TEST(Scheduler, OnePayloadByteChangesTheHash) {
    EXPECT_NE(run_toys({}).trace.hash, run_toys({}, {}, 8).trace.hash);
}

TEST(Scheduler, SchedulesDiffer) {
    const std::string random = run_toys({.schedule = Schedule::random}).trace.hash;
    const std::string fifo = run_toys({.schedule = Schedule::fifo}).trace.hash;
    const std::string pct = run_toys({.schedule = Schedule::pct}).trace.hash;
    EXPECT_NE(random, fifo);
    EXPECT_NE(random, pct);
    EXPECT_NE(fifo, pct);
    EXPECT_EQ(pct, run_toys({.schedule = Schedule::pct}).trace.hash);
}

// Three tasks of one host with three steps each, in the order in which they ran.
std::string order_of_steps(SchedulerOptions options) {
    ToyWorld world(options);
    Host host(world.scheduler.add_machine("a"));
    std::string order;
    for (const char task : {'a', 'b', 'c'}) {
        host.spawn(std::string(1, task), [](char name, std::string& log) -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                log += name;
                co_await asio::post(asio::use_awaitable);
            }
        }(task, order));
    }
    world.scheduler.run_until(seconds(1));
    return order;
}

TEST(Scheduler, FifoIsFair) {
    EXPECT_EQ(order_of_steps({.schedule = Schedule::fifo}), "abcabcabc");
}

TEST(Scheduler, RandomFindsManyOrders) {
    std::set<std::string> orders;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        orders.insert(order_of_steps({.seed = seed}));
    }
    EXPECT_GT(orders.size(), 80u);
}

TEST(Scheduler, PctPreemptsAsOftenAsItsDepthSays) {
    const auto switches = [](const std::string& order) {
        int count = 0;
        for (std::size_t i = 1; i < order.size(); ++i) { count += order[i] != order[i - 1]; }
        return count;
    };
    std::set<int> seen;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const SchedulerOptions options{
            .seed = seed, .schedule = Schedule::pct, .depth = 3, .expected_steps = 9};
        const int count = switches(order_of_steps(options));
        EXPECT_GE(count, 2) << "three tasks in a row";
        EXPECT_LE(count, 4) << "and two preemptions";
        seen.insert(count);
    }
    EXPECT_EQ(seen.size(), 3u);
}

TEST(Scheduler, ATapeReplaysWithoutTheSeed) {
    const ToyRun recorded = run_toys({.seed = 5}, Tape::recording());
    EXPECT_EQ(recorded.trace.hash, run_toys({.seed = 5}).trace.hash) << "recording changes nothing";
    Tape tape = Tape::parse(recorded.tape).value();
    EXPECT_GT(tape.size(), 100u);
    const ToyRun replayed = run_toys({.seed = 5, .schedule = Schedule::fifo}, std::move(tape));
    EXPECT_EQ(replayed.misalignment, std::nullopt);
    EXPECT_EQ(replayed.trace.hash, recorded.trace.hash);
}

TEST(Scheduler, ATapeOfAnotherRunIsMisaligned) {
    const ToyRun recorded = run_toys({.seed = 5}, Tape::recording());
    std::string text = recorded.tape;
    const std::size_t line = text.find("schedule");
    text.replace(line, 8, "shedules");
    const ToyRun replayed = run_toys({.seed = 5}, Tape::parse(text).value());
    ASSERT_TRUE(replayed.misalignment);
    EXPECT_NE(replayed.misalignment->find("at site shedules"), std::string::npos)
        << *replayed.misalignment;
}

TEST(Scheduler, StepsCostTheirHostTimeAndNobodyElse) {
    ToyWorld world(SchedulerOptions{.schedule = Schedule::fifo});
    Machine& slow_machine = world.scheduler.add_machine("slow", {.step_cost = microseconds(10)});
    slow_machine.set_slowness(3);
    Host slow(slow_machine);
    Host fast(world.scheduler.add_machine("fast", {.step_cost = microseconds(10)}));
    std::vector<Duration> slow_times;
    std::vector<Duration> fast_times;
    for (int i = 0; i < 3; ++i) {
        slow.post([&] { slow_times.push_back(world.scheduler.now()); });
        fast.post([&] { fast_times.push_back(world.scheduler.now()); });
    }
    world.scheduler.run_until(seconds(1));
    EXPECT_EQ(slow_times,
              (std::vector<Duration>{microseconds(0), microseconds(30), microseconds(60)}));
    EXPECT_EQ(fast_times,
              (std::vector<Duration>{microseconds(0), microseconds(10), microseconds(20)}));
}

TEST(Scheduler, EventsRunByTimeThenInOrder) {
    ToyWorld world;
    std::string order;
    world.scheduler.at(milliseconds(2), [&] { order += "c"; });
    world.scheduler.at(milliseconds(1), [&] {
        order += "a";
        world.scheduler.at(Duration(0), [&] { order += "b"; });  // passed: now
    });
    const TimerId cancelled = world.scheduler.at(milliseconds(2), [&] { order += "x"; });
    world.scheduler.at(milliseconds(2), [&] { order += "d"; });
    world.scheduler.cancel(cancelled);
    EXPECT_EQ(world.scheduler.run_until(milliseconds(1)), RunEnd::reached);
    EXPECT_EQ(order, "ab");
    EXPECT_EQ(world.scheduler.run_until(milliseconds(5)), RunEnd::idle);
    EXPECT_EQ(order, "abcd");
    EXPECT_EQ(world.scheduler.now(), milliseconds(5));
}

TEST(Scheduler, SaysWhenNothingCanEverHappen) {
    ToyWorld world;
    Host host(world.scheduler.add_machine("a"));
    host.spawn("wait", [](Host& self) -> Task<void> {
        auto start = [](ReplyTo<std::int64_t>) {};
        co_await self.reply<std::int64_t>("a miracle", std::nullopt, std::move(start));
    }(host));
    EXPECT_EQ(world.scheduler.run_until(seconds(1)), RunEnd::stuck);
    EXPECT_EQ(world.scheduler.waiting(), std::vector<std::string>{"a: 1 waiting for a miracle"});
    host.post([] {});
    host.pause();
    EXPECT_EQ(world.scheduler.run_until(seconds(2)), RunEnd::stuck);
    EXPECT_EQ(world.scheduler.waiting().size(), 2u);
}

}  // namespace
}  // namespace rushproof::simulator
