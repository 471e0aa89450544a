// Bits from the kernel's generator, drawn a page at a time.
#pragma once
#include <array>
#include <cstddef>

#include "core/ports/random.hpp"

namespace rushproof {

// For one thread.
class RealRandom final : public Random {
public:
    std::uint64_t next() override;

private:
    std::array<std::uint64_t, 512> buffer_;
    std::size_t used_ = buffer_.size();
};

}  // namespace rushproof
