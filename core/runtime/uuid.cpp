#include "core/runtime/uuid.hpp"

#include <string_view>

namespace rushproof {

std::string uuid_v4(Random& random) {
    constexpr std::string_view hex = "0123456789abcdef";
    const std::uint64_t high = (random.next() & 0xFFFF'FFFF'FFFF'0FFFull) | 0x4000ull;
    const std::uint64_t low = (random.next() & 0x3FFF'FFFF'FFFF'FFFFull) | 0x8000'0000'0000'0000ull;
    std::string uuid;
    uuid.reserve(36);
    for (const std::uint64_t half : {high, low}) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            if (uuid.size() == 8 || uuid.size() == 13 || uuid.size() == 18 || uuid.size() == 23) {
                uuid += '-';
            }
            uuid += hex[(half >> shift) & 15];
        }
    }
    return uuid;
}

}  // namespace rushproof
