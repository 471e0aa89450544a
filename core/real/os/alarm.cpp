#include "core/real/os/alarm.hpp"

#include <utility>

namespace rushproof {

Alarm::Alarm(const asio::any_io_executor& executor, std::function<void()> ring)
    : timer_(executor), ring_(std::move(ring)), self_(std::make_shared<Alarm*>(this)) {}

void Alarm::set(MonotonicTime at) {
    if (at >= at_) { return; }
    at_ = at;
    timer_.expires_at(asio::steady_timer::time_point(at.time_since_epoch()));
    timer_.async_wait([weak = std::weak_ptr<Alarm*>(self_), at](boost::system::error_code error) {
        const auto self = weak.lock();
        // A wait that is over already cannot be cancelled any more, and has no error.
        if (error || !self || (*self)->at_ != at) { return; }
        (*self)->at_ = MonotonicTime::max();
        (*self)->ring_();
    });
}

void Alarm::cancel() {
    at_ = MonotonicTime::max();
    timer_.cancel();
}

}  // namespace rushproof
