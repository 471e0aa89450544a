// The source of identifiers, jitter and every other choice of a service.
#pragma once
#include <cstdint>

namespace rushproof {

class Random {
public:
    virtual ~Random() = default;
    // 64 uniform bits.  One draw per expression (see keyed_random.hpp).
    virtual std::uint64_t next() = 0;
};

}  // namespace rushproof
