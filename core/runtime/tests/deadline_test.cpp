// Goal: with_deadline gives the task's own answer in time, or the error that its caller chose, and
// in both cases leaves nothing running.  Method: tasks that sleep on the fake clock.
#include "core/runtime/deadline.hpp"

#include <gtest/gtest.h>

#include "core/runtime/tests/fake_environment.hpp"

namespace rushproof {
namespace {

using std::chrono::seconds;

Task<Result<int>> answer_after(Clock& clock, Duration duration) {
    co_await sleep_for(clock, duration);
    co_return 42;
}

Task<Result<int>> bounded(FakeEnvironment& fake, Duration work, Duration limit) {
    const MonotonicTime deadline = fake.world.monotonic() + limit;
    co_return co_await with_deadline(fake.environment, deadline, ErrorKind::unknown_outcome,
                                     answer_after(fake.world, work));
}

TEST(WithDeadline, GivesTheAnswerThatCameInTime) {
    FakeEnvironment fake;
    const MonotonicTime start = fake.world.monotonic();
    const auto result = fake.world.finish(bounded(fake, seconds(1), seconds(2)));
    ASSERT_TRUE(result && *result);
    EXPECT_EQ(**result, 42);
    EXPECT_EQ(fake.world.monotonic() - start, seconds(1));
}

TEST(WithDeadline, CancelsWhatIsLate) {
    FakeEnvironment fake;
    const MonotonicTime start = fake.world.monotonic();
    const auto result = fake.world.finish(bounded(fake, seconds(9), seconds(2)));
    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().code(), "deadline-exceeded");
    EXPECT_EQ(result->error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(fake.world.monotonic() - start, seconds(2));
}

Task<Result<int>> fail(Clock& clock) {
    co_await sleep_for(clock, seconds(1));
    co_return failure(ErrorKind::retryable, "unavailable", "");
}

TEST(AnswersInTime, IsWhatItsNameSays) {
    FakeEnvironment fake;
    const auto in_time = [&](Task<Result<int>> question) {
        return *fake.world.finish(answers_in_time(
            fake.environment, fake.world.monotonic() + seconds(2), std::move(question)));
    };
    EXPECT_TRUE(in_time(answer_after(fake.world, seconds(1))));
    EXPECT_FALSE(in_time(answer_after(fake.world, seconds(3))));
    EXPECT_FALSE(in_time(fail(fake.world)));
}

}  // namespace
}  // namespace rushproof
