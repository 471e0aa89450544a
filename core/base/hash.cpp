#include "core/base/hash.hpp"

#include <bit>
#include <cstring>

namespace rushproof {

static_assert(std::endian::native == std::endian::little, "hash64 reads words as they lie");

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    std::uint64_t hash = mix64(seed ^ 0x9E3779B97F4A7C15ull);
    const std::uint64_t length = bytes.size();
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        hash = combine64(hash, word);
        bytes.remove_prefix(8);
    }
    std::uint64_t tail = 0;
    if (!bytes.empty() && length >= 8) {
        std::memcpy(&tail, bytes.data() + bytes.size() - 8, 8);
        tail >>= 8 * (8 - bytes.size());
    } else {
        for (std::size_t i = bytes.size(); i > 0; --i) {
            tail = tail << 8 | static_cast<unsigned char>(bytes[i - 1]);
        }
    }
    return combine64(combine64(hash, tail), length);
}

}  // namespace rushproof
