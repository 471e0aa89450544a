// Goal: a scope ends no sooner than its children, cancels them, and survives a crash at any moment.
// Method: children that sleep on the fake world's clock; a crash is the destruction of the world.
#include "core/runtime/scope.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

using std::chrono::seconds;

Task<void> sleep_then_count(FakeWorld& world, Duration duration, int& count) {
    co_await sleep_for(world, duration);
    ++count;
}

Task<Duration> join_two(FakeWorld& world, int& count) {
    const MonotonicTime start = world.monotonic();
    Scope scope(world);
    scope.start("short", sleep_then_count(world, seconds(1), count));
    scope.start("long", sleep_then_count(world, seconds(5), count));
    co_await scope.join();
    co_return world.monotonic() - start;
}

TEST(Scope, JoinWaitsForTheLastChild) {
    FakeWorld world;
    int count = 0;
    EXPECT_EQ(world.finish(join_two(world, count)), Duration(seconds(5)));
    EXPECT_EQ(count, 2);
}

Task<bool> join_nothing(FakeWorld& world) {
    Scope scope(world);
    co_await scope.join();
    co_return true;
}

TEST(Scope, JoinOfAnEmptyScopeReturnsAtOnce) {
    FakeWorld world;
    EXPECT_EQ(world.finish(join_nothing(world)), true);
}

Task<Duration> cancel_and_join(FakeWorld& world, int& count) {
    const MonotonicTime start = world.monotonic();
    Scope scope(world);
    scope.start("first", sleep_then_count(world, seconds(3), count));
    scope.start("second", sleep_then_count(world, seconds(5), count));
    co_await sleep_for(world, seconds(1));
    scope.cancel();
    co_await scope.join();
    co_return world.monotonic() - start;
}

TEST(Scope, CancelEndsSleepingChildren) {
    FakeWorld world;
    int count = 0;
    EXPECT_EQ(world.finish(cancel_and_join(world, count)), Duration(seconds(1)));
    EXPECT_EQ(count, 0);
}

Task<void> own_a_child(FakeWorld& world, int& count, bool& joined) {
    Scope scope(world);
    scope.start("child", sleep_then_count(world, seconds(9), count));
    co_await scope.join();
    joined = true;
}

Task<Duration> cancel_the_owner(FakeWorld& world, int& count, bool& joined) {
    const MonotonicTime start = world.monotonic();
    Scope scope(world);
    scope.start("owner", own_a_child(world, count, joined));
    co_await sleep_for(world, seconds(1));
    scope.cancel();
    co_await scope.join();
    co_return world.monotonic() - start;
}

TEST(Scope, CancellingAJoinerCancelsItsChildrenAndStillWaits) {
    FakeWorld world;
    int count = 0;
    bool joined = false;
    EXPECT_EQ(world.finish(cancel_the_owner(world, count, joined)), Duration(seconds(1)));
    EXPECT_EQ(count, 0);
    EXPECT_TRUE(joined);
}

Task<bool> cancel_at_once(FakeWorld& world) {
    Scope scope(world);
    auto cancel_myself = [&]() -> Task<void> {
        scope.cancel();
        co_return;
    };
    scope.start("child", cancel_myself());
    co_await scope.join();
    co_return true;
}

TEST(Scope, AChildThatNeverWaitsMayCancelTheScope) {
    FakeWorld world;
    EXPECT_EQ(world.finish(cancel_at_once(world)), true);
}

Task<Duration> join_a_visit(FakeWorld& world) {
    const MonotonicTime start = world.monotonic();
    Scope scope(world);
    Scope others(world);
    auto visit = [&]() -> Task<void> {
        const auto token = scope.visit();
        co_await sleep_for(world, seconds(2));
    };
    others.start("visitor", visit());
    co_await sleep_for(world, seconds(1));
    scope.cancel();
    co_await scope.join();
    const Duration joined_after = world.monotonic() - start;
    co_await others.join();
    co_return joined_after;
}

TEST(Scope, JoinWaitsForVisitsThatCancelDoesNotReach) {
    FakeWorld world;
    EXPECT_EQ(world.finish(join_a_visit(world)), Duration(seconds(2)));
}

Task<void> fail() {
    throw std::runtime_error("a bug");
    co_return;
}

Task<bool> start_a_failing_child(FakeWorld& world) {
    Scope scope(world);
    scope.start("failing", fail());
    co_await scope.join();
    co_return true;
}

TEST(Scope, AChildsExceptionLeavesThroughTheExecutor) {
    FakeWorld world;
    EXPECT_THROW(world.finish(start_a_failing_child(world)), std::runtime_error);
}

// Leaks and touches of freed memory are for the sanitizers to report.
TEST(Scope, ACrashDestroysJoinerAndChildrenTogether) {
    int count = 0;
    bool joined = false;
    {
        FakeWorld world;
        asio::co_spawn(world.executor("owner"), own_a_child(world, count, joined),
                       [](const std::exception_ptr&) {});
        world.run_for(seconds(1));
    }
    EXPECT_EQ(count, 0);
    EXPECT_FALSE(joined);
}

TEST(Scope, ACrashMayDestroyTheScopeBeforeItsChildren) {
    int count = 0;
    {
        FakeWorld world;
        auto scope = std::make_unique<Scope>(world);
        scope->start("child", sleep_then_count(world, seconds(9), count));
        world.run_for(seconds(1));
        scope.reset();
    }
    EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace rushproof
