// A token bucket per client.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/real/beast/http_server.hpp"

namespace rushproof {

// Remembers at most this many clients; a full table forgets the one whose bucket is oldest.
inline constexpr std::size_t rate_limited_clients_max = 10'000;

// May be used by all threads at once.
class RateLimiter {
public:
    explicit RateLimiter(HttpRateLimit limit) : limit_(limit) {}

    // Takes a token.  When there is none: how long until there will be.
    std::optional<Duration> refused(const std::string& client, MonotonicTime now);

private:
    struct Bucket {
        double tokens;
        MonotonicTime at;
    };
    void make_room();

    HttpRateLimit limit_;
    std::mutex mutex_;
    std::map<std::string, Bucket> buckets_;
};

}  // namespace rushproof
