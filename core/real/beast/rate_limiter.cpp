#include "core/real/beast/rate_limiter.hpp"

#include <algorithm>

namespace rushproof {

std::optional<Duration> RateLimiter::refused(const std::string& client, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    auto found = buckets_.find(client);
    if (found == buckets_.end()) {
        make_room();
        found = buckets_.emplace(client, Bucket{limit_.burst, now}).first;
    }
    Bucket& bucket = found->second;
    const std::chrono::duration<double> elapsed = now - bucket.at;
    bucket.tokens =
        std::min(limit_.burst, bucket.tokens + elapsed.count() * limit_.requests_per_second);
    bucket.at = now;
    if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return std::nullopt;
    }
    const std::chrono::duration<double> missing((1 - bucket.tokens) / limit_.requests_per_second);
    return std::chrono::duration_cast<Duration>(missing);
}

void RateLimiter::make_room() {
    if (buckets_.size() < rate_limited_clients_max) { return; }
    const auto oldest =
        std::min_element(buckets_.begin(), buckets_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    buckets_.erase(oldest);
}

}  // namespace rushproof
