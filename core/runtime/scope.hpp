// Structured concurrency: whoever starts coroutines owns them, and waits for their end.
#pragma once
#include <memory>
#include <string_view>

#include "core/ports/spawner.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// Order of life: start children, cancel() if they would not end by themselves, co_await join(),
// destroy.  Destroying a scope with live children is for crashes only, when their executor has
// stopped for ever.  A child that ends by any exception but cancellation is our own bug: the
// exception leaves through the executor.
class Scope {
    class State;

public:
    explicit Scope(Spawner& spawner);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    // The child runs later, never inside start().
    void start(std::string_view name, Task<void> child);

    // Counts the caller in: join() waits for the end of the visit as for a child; cancel() does not
    // reach it.
    class Visit;
    [[nodiscard]] Visit visit();

    // Asks all present children to end: what they wait for completes with operation_aborted.
    void cancel();

    // Returns when no child is left; one caller at a time.  Cancelling it cancels the children, and
    // it still waits for them.
    Task<void> join();

private:
    class Ended;

    Spawner& spawner_;
    std::shared_ptr<State> state_;
};

class Scope::Visit {
public:
    explicit Visit(std::shared_ptr<State> state);
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit();

private:
    std::shared_ptr<State> state_;
};

}  // namespace rushproof
