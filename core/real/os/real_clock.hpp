// The machine's clocks, with timers on one io_context.
#pragma once
#include <boost/asio/any_io_executor.hpp>

#include "core/ports/clock.hpp"

namespace rushproof {

class RealClock final : public Clock {
public:
    explicit RealClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    MonotonicTime monotonic() const override;
    WallTime wall() const override;
    void wait_until(MonotonicTime at, WaitHandler handler) override;

private:
    asio::any_io_executor executor_;
};

}  // namespace rushproof
