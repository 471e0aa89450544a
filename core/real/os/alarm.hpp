// One timer for the earliest of several moments.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "core/base/time.hpp"
#include "core/ports/task.hpp"

namespace rushproof {

// Used on one executor, on which it also rings.
class Alarm {
public:
    // `ring` may set the alarm again.  It is not called any more once the alarm is gone, and the
    // alarm must not go while it runs.
    Alarm(const asio::any_io_executor& executor, std::function<void()> ring);
    ~Alarm() { cancel(); }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    // It rings once, at this moment or soon after, for all moments until then; an earlier one that
    // was set stays.  Never inline.
    void set(MonotonicTime at);
    void cancel();

private:
    asio::steady_timer timer_;
    std::function<void()> ring_;
    MonotonicTime at_ = MonotonicTime::max();
    std::shared_ptr<Alarm*> self_;
};

}  // namespace rushproof
