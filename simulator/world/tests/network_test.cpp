// Goal: a link keeps its order, a partition holds and heals, and every way in which a call can end
// is told apart.  Method: two or three hosts, one caller, a fault at a known time.
#include "simulator/world/network.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "simulator/world/tests/toy_world.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How one call ended, and when.
struct Outcome {
    std::string code;  // "ok", or the error's
    ErrorKind kind = ErrorKind::permanent;
    Duration at{};
};

struct TwoHosts : ToyWorld {
    explicit TwoHosts(std::uint64_t seed = 1, LinkOptions links = {})
        : ToyWorld(SchedulerOptions{.seed = seed}, {}, links),
          caller_machine(scheduler.add_machine("caller")),
          target_machine(scheduler.add_machine("target")),
          caller(std::make_unique<Host>(caller_machine)) {}

    void start_target() {
        target = std::make_unique<Host>(target_machine);
        target->listen();
    }
    void crash_target() {
        target->crash();
        target.reset();
    }
    // Calls the target, which works for `work` and answers.
    void call(Duration work, Duration timeout) {
        caller->spawn("call", call_and_note(work, caller->clock().monotonic() + timeout));
    }
    Task<void> call_and_note(Duration work, MonotonicTime deadline) {
        auto handler = [this, work](Host& host, Context context) -> Task<Result<std::int64_t>> {
            ++processed;
            time_left = context.deadline - host.clock().monotonic();
            co_await sleep_for(host.clock(), work);
            co_return 1;
        };
        const Result<std::int64_t> result = co_await network.call<std::int64_t>(
            *caller, target_machine, "work", 1, Context(deadline), std::move(handler));
        Outcome outcome{"ok", ErrorKind::permanent, scheduler.now()};
        if (!result) {
            outcome.code = result.error().code();
            outcome.kind = result.error().kind();
        }
        outcomes.push_back(outcome);
    }
    void expect_last(const std::string& code, ErrorKind kind) const {
        ASSERT_FALSE(outcomes.empty());
        EXPECT_EQ(outcomes.back().code, code);
        EXPECT_EQ(outcomes.back().kind, kind);
    }

    Machine& caller_machine;
    Machine& target_machine;
    std::unique_ptr<Host> caller;
    std::unique_ptr<Host> target;
    std::vector<Outcome> outcomes;
    int processed = 0;
    Duration time_left{};
};

std::vector<int> iota(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

void send_numbers(TwoHosts& world, int first, int last, std::vector<int>& arrived) {
    for (int i = first; i < last; ++i) {
        EXPECT_TRUE(world.network.send(*world.caller, world.target_machine, "number",
                                       static_cast<std::uint64_t>(i),
                                       [i, &arrived](Host&) { arrived.push_back(i); }));
    }
}

TEST(Network, LinksKeepTheirOrderUnderRandomPicks) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        TwoHosts world(seed);
        world.start_target();
        std::vector<int> arrived;
        for (int batch = 0; batch < 5; ++batch) {
            world.scheduler.at(microseconds(batch * 7), [&world, batch, &arrived] {
                send_numbers(world, batch * 10, batch * 10 + 10, arrived);
            });
        }
        for (int i = 0; i < 200; ++i) {
            world.target->post([] {});
        }  // others in the ready set
        world.scheduler.run_until(seconds(1));
        ASSERT_EQ(arrived, iota(50)) << "seed " << seed;
    }
}

TEST(Network, PartitionHoldsAndHealDeliversInOrder) {
    TwoHosts world;
    world.start_target();
    std::vector<int> arrived;
    send_numbers(world, 0, 10, arrived);
    world.scheduler.run_until(milliseconds(100));
    EXPECT_EQ(arrived, iota(10));

    send_numbers(world, 10, 15, arrived);  // on their way when the link breaks
    world.network.inject({.id = "split", .links = {{"caller", "target"}}, .hold = true});
    send_numbers(world, 15, 20, arrived);
    world.scheduler.run_until(seconds(2));
    EXPECT_EQ(arrived, iota(10));
    EXPECT_EQ(world.network.touched("split"), 10u);

    EXPECT_EQ(world.network.lift("split"), 10u);
    world.scheduler.run_until(seconds(2) + microseconds(99));
    EXPECT_EQ(arrived, iota(10)) << "faster than the link";
    world.scheduler.run_until(seconds(2) + milliseconds(1));
    EXPECT_EQ(arrived, iota(20));
}

TEST(Network, PartitionsMayBeOneWayAndOverlap) {
    TwoHosts world;
    world.start_target();
    world.network.inject({.id = "answers", .links = {{"target", ""}}, .hold = true});
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(500));
    EXPECT_EQ(world.processed, 1);
    EXPECT_TRUE(world.outcomes.empty());
    world.network.inject({.id = "all", .links = {{"", ""}}, .hold = true});
    EXPECT_EQ(world.network.lift("answers"), 1u);
    world.scheduler.run_until(milliseconds(600));
    EXPECT_TRUE(world.outcomes.empty()) << "the other partition still holds it";
    EXPECT_EQ(world.network.lift("all"), 1u);
    world.scheduler.run_until(milliseconds(700));
    world.expect_last("ok", ErrorKind::permanent);
}

TEST(Network, CallsAreAnswered) {
    TwoHosts world;
    world.start_target();
    world.call(milliseconds(5), seconds(1));
    EXPECT_EQ(world.scheduler.run_until(milliseconds(100)), RunEnd::idle) << "the deadline's timer";
    world.expect_last("ok", ErrorKind::permanent);
    EXPECT_GE(world.outcomes[0].at, milliseconds(5) + microseconds(200));
    EXPECT_LE(world.time_left, seconds(1));
    EXPECT_GT(world.time_left, seconds(1) - milliseconds(1));
}

TEST(Network, TimeLeftRunsOnTheTargetsClock) {
    TwoHosts world;
    world.target_machine.set_drift(500'000);
    world.scheduler.run_until(seconds(10));
    world.start_target();
    world.call(milliseconds(5), seconds(1));
    world.scheduler.run_until(seconds(11));
    EXPECT_EQ(world.time_left, seconds(1));
    world.expect_last("ok", ErrorKind::permanent);
}

TEST(Network, NobodyThereMeansRefused) {
    TwoHosts world;
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(100));
    world.expect_last("unavailable", ErrorKind::retryable);
    EXPECT_GE(world.outcomes[0].at, microseconds(200)) << "there and back";

    world.start_target();
    world.target->close();
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(200));
    world.expect_last("unavailable", ErrorKind::retryable);
    EXPECT_EQ(world.processed, 0);
    EXPECT_EQ(world.outcomes.size(), 2u);
}

TEST(Network, ACrashBreaksConnections) {
    TwoHosts world;
    world.start_target();
    world.call(seconds(1), seconds(10));
    world.scheduler.at(milliseconds(50), [&] { world.crash_target(); });
    world.scheduler.run_until(milliseconds(100));
    world.expect_last("connection-lost", ErrorKind::unknown_outcome);
    EXPECT_GE(world.outcomes[0].at, milliseconds(50) + microseconds(100));
    EXPECT_EQ(world.processed, 1);
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(200));
    world.expect_last("unavailable", ErrorKind::retryable);
}

TEST(Network, AnOldConnectionDoesNotReachTheNextProcess) {
    TwoHosts world;
    world.start_target();
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(100));
    world.expect_last("ok", ErrorKind::permanent);
    world.crash_target();
    world.start_target();
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(200));
    world.expect_last("connection-lost", ErrorKind::unknown_outcome);
    EXPECT_EQ(world.processed, 1);
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(300));
    world.expect_last("ok", ErrorKind::permanent);
    EXPECT_EQ(world.processed, 2);
}

TEST(Network, DeadlinesAreKeptAndLateAnswersIgnored) {
    TwoHosts world;
    world.start_target();
    world.call(milliseconds(50), milliseconds(10));
    world.scheduler.run_until(milliseconds(40));
    world.expect_last("deadline-exceeded", ErrorKind::unknown_outcome);
    EXPECT_GE(world.outcomes[0].at, milliseconds(10));
    EXPECT_LT(world.outcomes[0].at, milliseconds(11));
    world.scheduler.run_until(milliseconds(100));
    EXPECT_EQ(world.outcomes.size(), 1u);

    world.call(Duration(0), Duration(0));
    world.scheduler.run_until(milliseconds(200));
    world.expect_last("unavailable", ErrorKind::retryable);
    EXPECT_EQ(world.processed, 1);
}

TEST(Network, APartitionedCallStallsUntilItsDeadlineAndMayActLater) {
    TwoHosts world;
    world.start_target();
    world.network.inject({.id = "split", .links = {{"caller", "target"}}, .hold = true});
    world.call(Duration(0), milliseconds(10));
    world.scheduler.run_until(seconds(1));
    world.expect_last("deadline-exceeded", ErrorKind::unknown_outcome);
    EXPECT_EQ(world.processed, 0);
    EXPECT_EQ(world.network.lift("split"), 1u);
    world.scheduler.run_until(seconds(2));
    EXPECT_EQ(world.processed, 1);
    EXPECT_EQ(world.outcomes.size(), 1u);
}

TEST(Network, AFullBufferRefuses) {
    TwoHosts world(1, {.buffer = 3});
    world.start_target();
    world.network.inject({.id = "split", .links = {{"caller", "target"}}, .hold = true});
    for (int i = 0; i < 5; ++i) { world.call(Duration(0), seconds(1)); }
    world.scheduler.run_until(milliseconds(500));
    ASSERT_EQ(world.outcomes.size(), 2u);
    world.expect_last("unavailable", ErrorKind::retryable);
    std::vector<int> arrived;
    EXPECT_FALSE(
        world.network.send(*world.caller, world.target_machine, "number", 0, [](Host&) {}));
    world.network.lift("split");
    world.scheduler.run_until(milliseconds(900));
    EXPECT_EQ(world.outcomes.size(), 5u);
    world.expect_last("ok", ErrorKind::permanent);
}

TEST(Network, AnswersToADeadCallerAreDropped) {
    TwoHosts world;
    world.start_target();
    world.call(milliseconds(50), seconds(1));
    world.scheduler.run_until(milliseconds(10));
    world.caller->crash();
    world.caller = std::make_unique<Host>(world.caller_machine);
    EXPECT_EQ(world.scheduler.run_until(milliseconds(100)), RunEnd::idle);
    EXPECT_EQ(world.processed, 1);
    EXPECT_TRUE(world.outcomes.empty());
}

TEST(Network, APausedTargetAnswersLate) {
    TwoHosts world;
    world.start_target();
    world.target->pause();
    world.call(Duration(0), seconds(1));
    world.scheduler.run_until(milliseconds(300));
    EXPECT_TRUE(world.outcomes.empty());
    world.target->resume();
    world.scheduler.run_until(milliseconds(400));
    world.expect_last("ok", ErrorKind::permanent);
}

TEST(Network, SendsToADeadProcessAreDropped) {
    TwoHosts world;
    EXPECT_FALSE(
        world.network.send(*world.caller, world.target_machine, "number", 0, [](Host&) {}));
    world.start_target();
    std::vector<int> arrived;
    send_numbers(world, 0, 5, arrived);
    world.crash_target();
    world.start_target();
    world.scheduler.run_until(seconds(1));
    EXPECT_TRUE(arrived.empty()) << "meant for the process before";
}

// Virtual times at which 20 messages over each of two links arrived.
std::vector<std::vector<Duration>> arrivals(std::uint64_t seed,
                                            const std::vector<LinkFault>& faults) {
    ToyWorld world(seed);
    Host sender(world.scheduler.add_machine("sender"));
    Host left(world.scheduler.add_machine("left"));
    Host right(world.scheduler.add_machine("right"));
    std::vector<std::vector<Duration>> times(2);
    for (const LinkFault& fault : faults) { world.network.inject(fault); }
    for (int i = 0; i < 20; ++i) {
        world.scheduler.at(milliseconds(100 * i), [&] {
            world.network.send(sender, left.machine(), "left", 0,
                               [&](Host&) { times[0].push_back(world.scheduler.now()); });
            world.network.send(sender, right.machine(), "right", 0,
                               [&](Host&) { times[1].push_back(world.scheduler.now()); });
        });
    }
    world.scheduler.run_until(seconds(10));
    for (const LinkFault& fault : faults) { EXPECT_EQ(world.network.lift(fault.id), 20u); }
    return times;
}

TEST(Network, RemovingAFaultLeavesEveryOtherDrawAlone) {
    const LinkFault slow_left{.id = "slow-left",
                              .links = {{"", "left"}},
                              .delay = milliseconds(20),
                              .jitter = milliseconds(9)};
    const LinkFault slow_right{
        .id = "slow-right", .links = {{"sender", "right"}}, .jitter = milliseconds(30)};
    const auto both = arrivals(3, {slow_left, slow_right});
    const auto only_right = arrivals(3, {slow_right});
    const auto none = arrivals(3, {});
    EXPECT_EQ(both[1], only_right[1]) << "the other fault's draws";
    EXPECT_EQ(only_right[0], none[0]) << "the other link's draws";
    EXPECT_NE(both[0], none[0]);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_GE(both[0][i] - none[0][i], milliseconds(20));
        EXPECT_LE(both[0][i] - none[0][i], milliseconds(29));
    }
    EXPECT_NE(none, arrivals(4, {}));
}

TEST(Network, LatencyHasAHeavyTail) {
    TwoHosts world(7);
    world.start_target();
    std::vector<Duration> latencies;
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) {
        const Duration sent = milliseconds(50) * i;
        world.scheduler.at(sent, [&world, &latencies, sent] {
            world.network.send(*world.caller, world.target_machine, "probe", 0,
                               [&latencies, sent](Host& host) {
                                   latencies.push_back(host.scheduler().now() - sent);
                               });
        });
    }
    world.scheduler.run_until(milliseconds(50) * count);
    std::sort(latencies.begin(), latencies.end());
    ASSERT_EQ(latencies.size(), static_cast<std::size_t>(count));
    EXPECT_GE(latencies.front(), microseconds(100));
    EXPECT_NEAR(static_cast<double>(latencies[count / 2].count()), 127.7e3, 2e3);
    EXPECT_GT(latencies.back(), milliseconds(5));
    EXPECT_LT(latencies[count * 995 / 1000], milliseconds(1));
}

}  // namespace
}  // namespace rushproof::simulator
