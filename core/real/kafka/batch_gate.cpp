#include "core/real/kafka/batch_gate.hpp"

#include <algorithm>

namespace rushproof::kafka {

bool BatchGate::open(std::size_t waiting, MonotonicTime now) const {
    return (under_way_ == 0 && waiting >= expected_) || now >= opens_at();
}

void BatchGate::go(std::size_t messages, MonotonicTime now) {
    began_ = now;
    under_way_ += messages;
    sent_ += messages;
}

void BatchGate::done(std::size_t waiting, MonotonicTime now) {
    if (--under_way_ > 0) { return; }
    expected_ = sent_ + waiting;
    sent_ = 0;
    next_at_ = now + std::min<Duration>((now - began_) / 4, wait_max_);
}

}  // namespace rushproof::kafka
