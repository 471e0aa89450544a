// The two clocks of a process and its only timer.
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/time.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

class Clock {
public:
    using WaitHandler = asio::any_completion_handler<void(boost::system::error_code)>;

    virtual ~Clock() = default;
    virtual MonotonicTime monotonic() const = 0;
    virtual WallTime wall() const = 0;
    // Completes at or after `at`, never before, never inline; with operation_aborted when the
    // handler's cancellation slot is emitted first.
    virtual void wait_until(MonotonicTime at, WaitHandler handler) = 0;
};

// co_await sleep_until(clock, at): throws boost::system::system_error when cancelled.
inline auto sleep_until(Clock& clock, MonotonicTime at) {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(boost::system::error_code)>(
        [&clock, at](auto handler) {
            clock.wait_until(at, Clock::WaitHandler(std::move(handler)));
        },
        asio::use_awaitable);
}
inline auto sleep_for(Clock& clock, Duration duration) {
    return sleep_until(clock, clock.monotonic() + duration);
}

}  // namespace rushproof
