#include "simulator/world/job.hpp"

#include <algorithm>

namespace rushproof::simulator {

std::unique_ptr<Job> ReadyQueue::take(std::size_t index) {
    const auto first = jobs_.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto taken = first + static_cast<std::ptrdiff_t>(index);
    std::unique_ptr<Job> job = std::move(*taken);
    if (index < size() / 2 + 1) {
        std::move_backward(first, taken, taken + 1);
        ++first_;
    } else {
        jobs_.erase(taken);
    }
    if (first_ == jobs_.size()) {
        jobs_.clear();
        first_ = 0;
    } else if (first_ >= 64 && first_ >= jobs_.size() / 2) {
        jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    return job;
}

}  // namespace rushproof::simulator
