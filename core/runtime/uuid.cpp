#include "core/runtime/uuid.hpp"

#include <string_view>

namespace rushproof {

std::string uuid_v4(Random& random) {
    constexpr std::string_view hex = "0123456789abcdef";
    const std::uint64_t high = (random.next() & 0xFFFF'FFFF'FFFF'0FFFull) | 0x4000ull;
    const std::uint64_t low = (random.next() & 0x3FFF'FFFF'FFFF'FFFFull) | 0x8000'0000'0000'0000ull;
    std::string uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    int digit = 0;
    for (char& character : uuid) {
        if (character == '-') { continue; }
        const std::uint64_t half = digit < 16 ? high : low;
        character = hex[(half >> (60 - 4 * (digit % 16))) & 15];
        ++digit;
    }
    return uuid;
}

}  // namespace rushproof
