#include "core/runtime/wakeup.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <utility>

namespace rushproof {

// Lives as long as its timer.
struct Wakeup::Wait {
    asio::cancellation_signal timer;
    bool woken = false;
};

Wakeup::Wakeup() = default;

Task<void> Wakeup::wait_until(Clock& clock, MonotonicTime at) {
    const auto start = [&](auto handler) {
        const auto wait = std::make_shared<Wait>();
        wait_ = wait;
        const auto executor = asio::get_associated_executor(handler);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<Wait>(wait)](asio::cancellation_type type) {
                if (const auto alive = weak.lock()) { alive->timer.emit(type); }
            });
        }
        auto done = [wait, waiter = std::move(handler)](boost::system::error_code error) mutable {
            std::move(waiter)(wait->woken ? boost::system::error_code() : error);
        };
        clock.wait_until(
            at, Clock::WaitHandler(asio::bind_executor(
                    executor, asio::bind_cancellation_slot(wait->timer.slot(), std::move(done)))));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(boost::system::error_code)>(
        start, asio::use_awaitable);
}

void Wakeup::wake() {
    if (const auto wait = wait_.lock()) {
        wait->woken = true;
        wait->timer.emit(asio::cancellation_type::terminal);
    }
}

}  // namespace rushproof
