// One coroutine waits until something happens, or until a time.
#pragma once
#include <memory>

#include "core/ports/clock.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

class Wakeup {
public:
    Wakeup();
    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    // Returns at wake(), or at `at`; one caller at a time.  Throws boost::system::system_error when
    // cancelled.
    Task<void> wait_until(Clock& clock, MonotonicTime at);

    // Ends the wait under way, if there is one; the waiter goes on later, never inside wake().  Not
    // from destructors that a crash may run: it touches the clock.
    void wake();

private:
    struct Wait;
    std::weak_ptr<Wait> wait_;
};

}  // namespace rushproof
