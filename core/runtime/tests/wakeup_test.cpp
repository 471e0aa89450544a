// Goal: a waiter goes on when it is woken, at its time, or when it is cancelled, whatever is first.
// Method: one waiter on the fake world's clock, and somebody who acts at a given second.
#include "core/runtime/wakeup.hpp"

#include <gtest/gtest.h>

#include "core/runtime/scope.hpp"
#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

using std::chrono::seconds;

Task<void> wait(FakeWorld& world, Wakeup& wakeup, Duration longest, Duration& waited) {
    const MonotonicTime start = world.monotonic();
    co_await wakeup.wait_until(world, start + longest);
    waited = world.monotonic() - start;
}

template <class Act>
Duration waited_while(Act act) {
    FakeWorld world;
    Wakeup wakeup;
    Duration waited{-1};
    auto both = [&]() -> Task<bool> {
        Scope scope(world);
        scope.start("waiter", wait(world, wakeup, seconds(5), waited));
        co_await sleep_for(world, seconds(2));
        act(wakeup, scope);
        co_await scope.join();
        co_return true;
    };
    EXPECT_EQ(world.finish(both()), true);
    return waited;
}

TEST(Wakeup, EndsTheWait) {
    EXPECT_EQ(waited_while([](Wakeup& wakeup, Scope&) { wakeup.wake(); }), seconds(2));
}

TEST(Wakeup, TwiceIsAsGoodAsOnce) {
    EXPECT_EQ(waited_while([](Wakeup& wakeup, Scope&) {
                  wakeup.wake();
                  wakeup.wake();
              }),
              seconds(2));
}

TEST(Wakeup, TheWaitEndsByItself) {
    EXPECT_EQ(waited_while([](Wakeup&, Scope&) {}), seconds(5));
}

TEST(Wakeup, CancellingTheWaiterThrows) {
    EXPECT_EQ(waited_while([](Wakeup&, Scope& scope) { scope.cancel(); }), Duration(-1));
}

TEST(Wakeup, WakingNobodyIsNotRemembered) {
    FakeWorld world;
    Wakeup wakeup;
    wakeup.wake();
    auto twice = [&]() -> Task<Duration> {
        const MonotonicTime start = world.monotonic();
        co_await wakeup.wait_until(world, start + seconds(1));
        wakeup.wake();
        co_await wakeup.wait_until(world, start + seconds(3));
        co_return world.monotonic() - start;
    };
    EXPECT_EQ(world.finish(twice()), seconds(3));
}

// Touches of freed memory are for the sanitizers to report.
TEST(Wakeup, ACrashDestroysTheWaiter) {
    Wakeup wakeup;
    Duration waited{-1};
    {
        FakeWorld world;
        asio::co_spawn(world.executor("waiter"), wait(world, wakeup, seconds(5), waited),
                       [](const std::exception_ptr&) {});
        world.run_for(seconds(1));
    }
    wakeup.wake();
    EXPECT_EQ(waited, Duration(-1));
}

}  // namespace
}  // namespace rushproof
