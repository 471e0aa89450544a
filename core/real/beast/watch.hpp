// One wait on a clock, for the earliest of several moments.
#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "core/ports/clock.hpp"

namespace rushproof {

// Used on one executor, on which it also rings.
class Watch {
public:
    // `ring` may set the watch again.  It is not called any more once the watch is gone, and the
    // watch must not go while it runs.
    Watch(Clock& clock, std::function<void()> ring);
    ~Watch() { cancel(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // It rings once, at this moment or soon after, for all moments until then; an earlier one that
    // was set stays.  Never inline.
    void set(MonotonicTime at);
    void cancel();

private:
    Clock& clock_;
    std::function<void()> ring_;
    std::optional<MonotonicTime> at_;
    asio::cancellation_signal stop_;
    std::shared_ptr<Watch*> self_;
};

}  // namespace rushproof
