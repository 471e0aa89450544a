#include "core/real/os/real_clock.hpp"

#include <boost/asio/consign.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace rushproof {

MonotonicTime RealClock::monotonic() const {
    return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch());
}

WallTime RealClock::wall() const {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::system_clock::now().time_since_epoch()));
}

void RealClock::wait_until(MonotonicTime at, WaitHandler handler) {
    const std::chrono::steady_clock::time_point expiry(at.time_since_epoch());
    auto timer = std::make_unique<asio::steady_timer>(executor_, expiry);
    auto& waiting = *timer;
    waiting.async_wait(asio::consign(std::move(handler), std::move(timer)));
}

}  // namespace rushproof
