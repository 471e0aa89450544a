// Goal: the machine's adapters keep the contracts of their ports.
// Method: tiny waits on real io_contexts; nothing depends on how long they take.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <semaphore>
#include <set>
#include <thread>
#include <vector>

#include "core/real/os/alarm.hpp"
#include "core/real/os/cores.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/scheduling.hpp"
#include "core/real/os/stop_signals.hpp"

namespace rushproof {
namespace {

TEST(RealClock, CompletesNeverInlineAndNeverEarly) {
    asio::io_context context(1);
    RealClock clock(context.get_executor());
    const auto at = clock.monotonic() + std::chrono::milliseconds(2);
    bool completed = false;
    clock.wait_until(at, Clock::WaitHandler([&](boost::system::error_code error) {
                         EXPECT_FALSE(error);
                         EXPECT_GE(clock.monotonic(), at);
                         completed = true;
                     }));
    clock.wait_until(clock.monotonic() - std::chrono::hours(1),
                     Clock::WaitHandler([](boost::system::error_code) {}));
    EXPECT_FALSE(completed);
    context.run();
    EXPECT_TRUE(completed);
}

TEST(RealClock, AWaitCanBeCancelled) {
    asio::io_context context(1);
    RealClock clock(context.get_executor());
    asio::cancellation_signal signal;
    boost::system::error_code result;
    auto handler = [&](boost::system::error_code error) { result = error; };
    clock.wait_until(clock.monotonic() + std::chrono::hours(1),
                     Clock::WaitHandler(asio::bind_cancellation_slot(signal.slot(), handler)));
    asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
    context.run();
    EXPECT_EQ(result, asio::error::operation_aborted);
}

TEST(Scheduling, IsOfTheThreadAndOfThoseThatItStarts) {
    const auto policy_of_a_new_thread = [] {
        int policy = -1;
        std::thread([&] { policy = ::sched_getscheduler(0); }).join();
        return policy;
    };
    const int before = ::sched_getscheduler(0);
    std::thread([&] {
        EXPECT_TRUE(set_scheduling(Scheduling::batch));
        EXPECT_EQ(policy_of_a_new_thread(), SCHED_BATCH);
        EXPECT_TRUE(set_scheduling(Scheduling::normal));
        EXPECT_EQ(policy_of_a_new_thread(), SCHED_OTHER);
        const sched_param parameters{};
        ASSERT_EQ(::sched_setscheduler(0, SCHED_IDLE, &parameters), 0);
        EXPECT_TRUE(set_scheduling(Scheduling::batch));
        EXPECT_EQ(::sched_getscheduler(0), SCHED_IDLE) << "somebody chose it";
    }).join();
    EXPECT_EQ(::sched_getscheduler(0), before);
}

TEST(Alarm, RingsOnceForAllMomentsUntilThen) {
    asio::io_context context(1);
    RealClock clock(context.get_executor());
    const MonotonicTime soon = clock.monotonic() + std::chrono::milliseconds(2);
    std::vector<MonotonicTime> rung;
    Alarm alarm(context.get_executor(), [&] { rung.push_back(clock.monotonic()); });
    alarm.set(clock.monotonic() + std::chrono::hours(1));
    alarm.set(soon);
    alarm.set(soon + std::chrono::milliseconds(1));
    EXPECT_TRUE(rung.empty());
    context.run();
    ASSERT_EQ(rung.size(), 1);
    EXPECT_GE(rung.front(), soon);
}

TEST(Alarm, MayBeSetAgainWhenItRings) {
    asio::io_context context(1);
    RealClock clock(context.get_executor());
    int rung = 0;
    Alarm alarm(context.get_executor(), [&] {
        if (++rung < 3) { alarm.set(clock.monotonic()); }
    });
    alarm.set(clock.monotonic());
    EXPECT_EQ(rung, 0);
    context.run();
    EXPECT_EQ(rung, 3);
}

TEST(Alarm, OneThatWasCancelledOrIsGoneDoesNotRing) {
    asio::io_context context(1);
    RealClock clock(context.get_executor());
    int rung = 0;
    Alarm cancelled(context.get_executor(), [&] { ++rung; });
    cancelled.set(clock.monotonic());
    auto gone = std::make_unique<Alarm>(context.get_executor(), [&] { ++rung; });
    gone->set(clock.monotonic());
    // Both are ready by now.
    asio::post(context, [&] {
        cancelled.cancel();
        gone.reset();
    });
    context.run();
    EXPECT_EQ(rung, 0);
}

TEST(RealClock, AWaitMayOutliveItsContext) {
    auto context = std::make_unique<asio::io_context>(1);
    RealClock clock(context->get_executor());
    auto held = std::make_shared<int>(1);
    clock.wait_until(clock.monotonic() + std::chrono::hours(1),
                     Clock::WaitHandler([held](boost::system::error_code) {}));
    context.reset();
    EXPECT_EQ(held.use_count(), 1);
}

TEST(RealRandom, DrawsDoNotRepeat) {
    RealRandom random;
    RealRandom other;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2'000; ++i) {
        seen.insert(random.next());
        seen.insert(other.next());
    }
    EXPECT_EQ(seen.size(), 4'000u);
}

TEST(Cores, EachRunsOnAThreadOfItsOwnUntilStopped) {
    Cores cores(3);
    std::set<std::thread::id> threads;
    // A ring through all cores: each notes its thread and posts to the next; the first then stops.
    asio::post(cores[0], [&] {
        threads.insert(std::this_thread::get_id());
        asio::post(cores[1], [&] {
            threads.insert(std::this_thread::get_id());
            asio::post(cores[2], [&] {
                threads.insert(std::this_thread::get_id());
                cores.stop();
            });
        });
    });
    cores.run();
    EXPECT_EQ(threads.size(), 3u);
    EXPECT_TRUE(threads.contains(std::this_thread::get_id()));
}

// In a process of its own: the mask of blocked signals stays with the thread.
TEST(StopSignals, TheFirstStopsAndTheSecondKills) {
    EXPECT_EXIT(
        {
            std::binary_semaphore stopped(0);
            const StopSignals signals([&] { stopped.release(); });
            kill(getpid(), SIGTERM);
            stopped.acquire();
            kill(getpid(), SIGINT);
            stopped.acquire();
        },
        testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(StopSignals, EndsWithItsOwner) {
    EXPECT_EXIT(
        {
            {
                const StopSignals signals([] { _exit(1); });
            }
            _exit(0);
        },
        testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace rushproof
