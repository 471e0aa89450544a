// Bounds how long a task may take.
#pragma once
#include <optional>
#include <utility>

#include "core/base/result.hpp"
#include "core/ports/environment.hpp"
#include "core/runtime/scope.hpp"

namespace rushproof {

namespace detail {

template <class T>
Task<void> keep_result(Task<Result<T>> task, std::optional<Result<T>>& result, Scope& scope) {
    result.emplace(co_await std::move(task));
    scope.cancel();
}

inline Task<void> cancel_at(Clock& clock, MonotonicTime at, Scope& scope) {
    co_await sleep_until(clock, at);
    scope.cancel();
}

}  // namespace detail

// The task's result, or "deadline-exceeded" of kind `when_late` if it was cancelled at `deadline`:
// retryable for what only reads, unknown_outcome for what may have had its effect.  Returns when
// the task has ended, so what it waits for must heed cancellation.
template <class T>
Task<Result<T>> with_deadline(Environment& environment, MonotonicTime deadline, ErrorKind when_late,
                              Task<Result<T>> task) {
    std::optional<Result<T>> result;
    Scope scope(environment.spawner);
    scope.start("with_deadline.timer", detail::cancel_at(environment.clock, deadline, scope));
    scope.start("with_deadline.task", detail::keep_result(std::move(task), result, scope));
    co_await scope.join();
    if (result) { co_return *std::move(result); }
    co_return failure(when_late, "deadline-exceeded", "the deadline passed");
}

// Is a question that only reads answered well by then?
template <class T>
Task<bool> answers_in_time(Environment& environment, MonotonicTime deadline,
                           Task<Result<T>> question) {
    const auto answer =
        co_await with_deadline(environment, deadline, ErrorKind::retryable, std::move(question));
    co_return answer.has_value();
}

}  // namespace rushproof
