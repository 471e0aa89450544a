// Goal: jobs run as often as they ask for, again at once while there is more, and go on after
// errors.  Method: jobs that note when they were called, on the fake clock.
#include "core/runtime/sweeper.hpp"

#include <gtest/gtest.h>

#include "core/runtime/scope.hpp"
#include "core/runtime/tests/fake_environment.hpp"

namespace rushproof {
namespace {

using std::chrono::seconds;

class SweeperTest : public testing::Test {
protected:
    // Notes each call, and answers what `answers` has next, or 0.
    SweepJob noting(std::vector<MonotonicTime>& calls, std::vector<std::size_t> answers = {}) {
        SweepJob job;
        job.some = [this, &calls, answers = std::move(answers)](const Context& context) {
            deadlines_.push_back(context.deadline);
            calls.push_back(fake_.world.monotonic());
            const std::size_t number = calls.size() - 1;
            return answer(number < answers.size() ? answers[number] : 0);
        };
        return job;
    }
    static Task<Result<std::size_t>> answer(std::size_t done) {
        if (done == failing) { co_return failure(ErrorKind::retryable, "unavailable", ""); }
        co_return done;
    }
    // Sweeps every second for ten, from the first sweep on.
    void run(std::vector<SweepJob> jobs) {
        const MonotonicTime start = fake_.world.monotonic();
        Scope scope(fake_.world);
        scope.start("sweep", sweeper_.run(seconds(1), seconds(5), std::move(jobs)));
        fake_.world.run_for(seconds(10));
        scope.cancel();
        EXPECT_EQ(fake_.world.finish(joined(scope)), true);
        EXPECT_LE(deadlines_.front() - start, seconds(1) + seconds(5));
        EXPECT_GE(deadlines_.front() - start, seconds(5));
    }
    static Task<bool> joined(Scope& scope) {
        co_await scope.join();
        co_return true;
    }

    static constexpr std::size_t failing = 999;
    FakeEnvironment fake_;
    Sweeper sweeper_{fake_.environment, "role"};
    std::vector<MonotonicTime> deadlines_;
};

TEST_F(SweeperTest, RunsEachJobAsOftenAsItAsksFor) {
    std::vector<MonotonicTime> often;
    std::vector<MonotonicTime> rarely;
    SweepJob rare = noting(rarely);
    rare.every = seconds(4);
    run({noting(often), rare});
    ASSERT_EQ(often.size(), 10U);
    ASSERT_EQ(rarely.size(), 2U);
    EXPECT_EQ(rarely[0] - often[0], seconds(4));
    EXPECT_EQ(rarely[1] - rarely[0], seconds(4));
}

TEST_F(SweeperTest, CallsAgainAtOnceWhileThereIsMore) {
    std::vector<MonotonicTime> calls;
    SweepJob job = noting(calls, {3, 4, 2, 1});
    job.full = 3;
    run({job});
    ASSERT_EQ(calls.size(), 12U);
    EXPECT_EQ(calls[0], calls[1]);
    EXPECT_EQ(calls[1], calls[2]);
    EXPECT_EQ(calls[3] - calls[2], seconds(1));
}

TEST_F(SweeperTest, GoesOnAfterErrors) {
    std::vector<MonotonicTime> calls;
    std::vector<MonotonicTime> others;
    SweepJob job = noting(calls, {failing, failing});
    job.full = 1;
    run({job, noting(others)});
    EXPECT_EQ(calls.size(), 10U);
    EXPECT_EQ(others.size(), 10U);
    EXPECT_EQ(fake_.world.count("role_failed_sweeps_total"), 2U);
    EXPECT_EQ(fake_.world.logged, (std::vector<std::string>{"a sweep failed", "a sweep failed"}));
}

}  // namespace
}  // namespace rushproof
