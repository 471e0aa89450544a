#include "core/real/os/real_random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "core/base/assert.hpp"

namespace rushproof {

std::uint64_t RealRandom::next() {
    if (used_ == buffer_.size()) {
        auto* bytes = reinterpret_cast<char*>(buffer_.data());
        std::size_t filled = 0;
        while (filled < sizeof(buffer_)) {
            const ssize_t count = getrandom(bytes + filled, sizeof(buffer_) - filled, 0);
            RP_ASSERT(count > 0 || errno == EINTR);
            if (count > 0) { filled += static_cast<std::size_t>(count); }
        }
        used_ = 0;
    }
    return buffer_[used_++];
}

}  // namespace rushproof
