#include "core/real/beast/watch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <utility>

namespace rushproof {

Watch::Watch(Clock& clock, std::function<void()> ring)
    : clock_(clock), ring_(std::move(ring)), self_(std::make_shared<Watch*>(this)) {}

void Watch::set(MonotonicTime at) {
    if (at_ && *at_ <= at) { return; }
    cancel();
    at_ = at;
    auto handler = [weak = std::weak_ptr(self_), at](boost::system::error_code error) {
        const auto self = weak.lock();
        // One that was on its way when an earlier moment was set comes for nothing.
        if (!self || error || (*self)->at_ != at) { return; }
        (*self)->at_.reset();
        (*self)->ring_();
    };
    clock_.wait_until(
        at, Clock::WaitHandler(asio::bind_cancellation_slot(stop_.slot(), std::move(handler))));
}

void Watch::cancel() {
    if (std::exchange(at_, std::nullopt)) { stop_.emit(asio::cancellation_type::terminal); }
}

}  // namespace rushproof
