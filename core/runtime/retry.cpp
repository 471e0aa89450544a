#include "core/runtime/retry.hpp"

#include <algorithm>

namespace rushproof {

Duration jitter(Random& random, Duration longest) {
    const auto choices = static_cast<unsigned __int128>(longest.count()) + 1;
    return Duration(static_cast<std::int64_t>((random.next() * choices) >> 64));
}

Duration back_off(const RetryPolicy& policy, int retry, Random& random) {
    Duration ceiling = policy.base;
    for (int i = 1; i < retry && ceiling < policy.longest; ++i) { ceiling *= policy.factor; }
    return jitter(random, std::min(ceiling, policy.longest));
}

void RetryBudget::earn() { saved_ = std::min(capacity_, saved_ + percent_); }

bool RetryBudget::spend() {
    if (saved_ < 100) { return false; }
    saved_ -= 100;
    return true;
}

}  // namespace rushproof
