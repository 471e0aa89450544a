// Goal: retry repeats only what may be repeated, waits as the policy says, and stops at attempts,
// budget and deadline.  Method: an operation that answers from a script, on the fake clock.
#include "core/runtime/retry.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Error busy(ErrorKind::retryable, "busy", "");
const Error unknown(ErrorKind::unknown_outcome, "commit-unknown", "");
const Error refused(ErrorKind::permanent, "refused", "");

struct Script {
    FakeWorld world;
    RetryBudget budget{100, 0};
    RetryPolicy policy;
    Repeatable repeatable = Repeatable::no;
    Duration limit = seconds(60);
    std::vector<Result<int>> answers;
    std::size_t calls = 0;
    std::vector<GaveUp> gave_up;

    Result<int> run() {
        RetryLimits limits{policy, world.monotonic() + limit, repeatable};
        limits.gave_up = [this](GaveUp why) { gave_up.push_back(why); };
        auto operation = [this]() -> Task<Result<int>> {
            const std::size_t call = std::min(calls++, answers.size() - 1);
            co_return answers[call];
        };
        return *world.finish(retry(world, world, budget, limits, std::move(operation)));
    }
};

TEST(Retry, RepeatsRetryableErrorsUntilAnAnswer) {
    Script script;
    script.answers = {failure(busy), failure(busy), 7};
    EXPECT_EQ(script.run(), 7);
    EXPECT_EQ(script.calls, 3u);
    EXPECT_TRUE(script.gave_up.empty());
}

TEST(Retry, LeavesPermanentErrorsAlone) {
    Script script;
    script.answers = {failure(refused)};
    EXPECT_EQ(script.run().error(), refused);
    EXPECT_EQ(script.calls, 1u);
}

TEST(Retry, RepeatsUnknownOutcomesOnlyWhenThatIsHarmless) {
    Script script;
    script.answers = {failure(unknown), 7};
    EXPECT_EQ(script.run().error(), unknown);
    EXPECT_EQ(script.calls, 1u);

    Script repeatable;
    repeatable.repeatable = Repeatable::yes;
    repeatable.answers = {failure(unknown), 7};
    EXPECT_EQ(repeatable.run(), 7);
}

TEST(Retry, WhatWasOnceUnknownStaysUnknown) {
    Script script;
    script.repeatable = Repeatable::yes;
    script.answers = {failure(unknown), failure(busy)};
    EXPECT_EQ(script.run().error(), unknown);
    EXPECT_EQ(script.calls, 8u);
}

TEST(Retry, StopsAtTheNumberOfAttempts) {
    Script script;
    script.policy.attempts = 3;
    script.answers = {failure(busy)};
    EXPECT_EQ(script.run().error(), busy);
    EXPECT_EQ(script.calls, 3u);
    EXPECT_EQ(script.gave_up, std::vector{GaveUp::attempts});
}

TEST(Retry, NeverSleepsPastTheDeadline) {
    Script script;
    script.policy = {1000, milliseconds(100), seconds(1), 2};
    script.limit = seconds(3);
    script.answers = {failure(busy)};
    const MonotonicTime start = script.world.monotonic();
    EXPECT_EQ(script.run().error(), busy);
    EXPECT_LT(script.world.monotonic() - start, seconds(3));
    EXPECT_GT(script.calls, 3u);
    EXPECT_EQ(script.gave_up, std::vector{GaveUp::deadline});
}

TEST(Retry, StopsWhenTheBudgetIsSpent) {
    Script script;
    script.budget = RetryBudget(2, 50);
    script.answers = {failure(busy)};
    script.run();
    EXPECT_EQ(script.gave_up, std::vector{GaveUp::budget});
    EXPECT_EQ(script.calls, 3u);  // two saved; the call's own half retry found no room
    script.calls = 0;
    script.run();
    EXPECT_EQ(script.calls, 1u);
    script.calls = 0;
    script.run();
    EXPECT_EQ(script.calls, 2u);  // two halves earned
}

TEST(Retry, BackOffIsJitteredUnderAGrowingCeiling) {
    FakeWorld world;
    const RetryPolicy policy{8, milliseconds(10), milliseconds(35), 2};
    const Duration ceilings[] = {milliseconds(10), milliseconds(20), milliseconds(35),
                                 milliseconds(35)};
    for (int retry = 1; retry <= 4; ++retry) {
        Duration longest{0};
        for (int i = 0; i < 1000; ++i) {
            const Duration wait = back_off(policy, retry, world);
            ASSERT_GE(wait, Duration(0));
            longest = std::max(longest, wait);
        }
        EXPECT_LE(longest, ceilings[retry - 1]);
        EXPECT_GT(longest, ceilings[retry - 1] * 9 / 10);
    }
}

}  // namespace
}  // namespace rushproof
