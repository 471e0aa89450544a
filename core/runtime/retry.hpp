// Trying again: exponential back-off with full jitter, within a deadline and a budget.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/random.hpp"

namespace rushproof {

// Before retry number n the wait is uniform in [0, min(longest, base * factor^(n-1))].
struct RetryPolicy {
    int attempts = 8;  // in all, the first included
    Duration base = std::chrono::milliseconds(2);
    Duration longest = std::chrono::milliseconds(250);
    int factor = 2;
};

// Uniform in [0, longest].
Duration jitter(Random& random, Duration longest);
Duration back_off(const RetryPolicy& policy, int retry, Random& random);

// Keeps a whole service from multiplying its load when everything fails: each call earns
// `percent` hundredths of a retry, up to `capacity` retries saved.  Starts full.
class RetryBudget {
public:
    RetryBudget(std::int64_t capacity, std::int64_t percent)
        : capacity_(capacity * 100), percent_(percent), saved_(capacity_) {}

    void earn();
    bool spend();

private:
    std::int64_t capacity_;
    std::int64_t percent_;
    std::int64_t saved_;
};

// Is calling the operation again harmless even if the last call may have worked?
enum class Repeatable : std::uint8_t { no, yes };

// Why no other try was made.
enum class GaveUp : std::uint8_t { attempts, deadline, budget };

struct RetryLimits {
    RetryPolicy policy;
    MonotonicTime deadline;
    Repeatable repeatable = Repeatable::no;
    // Sees every error that is not permanent, for metrics.
    std::function<void(const Error&)> failed = {};
    // Called once if it gives up.
    std::function<void(GaveUp)> gave_up = {};
};

// Calls `operation` until it answers anything but a retryable error or, if it is repeatable, an
// unknown outcome; gives up when attempts, budget or deadline do not allow another try.  What was
// ever unknown stays unknown when it gives up, whatever the later tries said.
// `operation()` returns Task<Result<T>>; it lives until the last try has ended.
template <class Operation>
auto retry(Clock& clock, Random& random, RetryBudget& budget, RetryLimits limits,
           Operation operation) -> decltype(operation()) {
    budget.earn();
    std::optional<Error> unknown;
    for (int attempt = 1;; ++attempt) {
        auto result = co_await operation();
        if (result) { co_return result; }
        const ErrorKind kind = result.error().kind();
        if (kind == ErrorKind::permanent) { co_return result; }
        if (limits.failed) { limits.failed(result.error()); }
        if (kind == ErrorKind::unknown_outcome) {
            if (limits.repeatable == Repeatable::no) { co_return result; }
            unknown = result.error();
        }
        const MonotonicTime again = clock.monotonic() + back_off(limits.policy, attempt, random);
        std::optional<GaveUp> why;
        if (attempt >= limits.policy.attempts) {
            why = GaveUp::attempts;
        } else if (again >= limits.deadline) {
            why = GaveUp::deadline;
        } else if (!budget.spend()) {
            why = GaveUp::budget;
        }
        if (why) {
            if (limits.gave_up) { limits.gave_up(*why); }
            if (unknown) { co_return failure(*std::move(unknown)); }
            co_return result;
        }
        co_await sleep_until(clock, again);
    }
}

}  // namespace rushproof
