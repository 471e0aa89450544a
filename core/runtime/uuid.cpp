#include "core/runtime/uuid.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace rushproof {

namespace {

std::string version_four(std::uint64_t high, std::uint64_t low) {
    constexpr std::string_view hex = "0123456789abcdef";
    high = (high & 0xFFFF'FFFF'FFFF'0FFFull) | 0x4000ull;
    low = (low & 0x3FFF'FFFF'FFFF'FFFFull) | 0x8000'0000'0000'0000ull;
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

}  // namespace

std::string uuid_v4(Random& random) {
    const std::uint64_t high = random.next();
    return version_four(high, random.next());
}

std::string uuid_comb(WallTime now, Random& random) {
    const auto since_epoch = now.time_since_epoch();
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(since_epoch);
    const auto rest = static_cast<std::uint64_t>((since_epoch - milliseconds).count());
    const std::uint64_t fraction = rest * 4096 / 1000;
    return version_four(static_cast<std::uint64_t>(milliseconds.count()) << 16 | fraction,
                        random.next());
}

std::string uuid_of(std::string_view first_name, std::string_view second_name) {
    // Our own name space, drawn once.
    constexpr boost::uuids::uuid space{{0x3f, 0x1c, 0x86, 0x0d, 0x52, 0xa7, 0x4e, 0x19, 0x9b, 0x74,
                                        0xe2, 0x68, 0xd0, 0x35, 0xc1, 0x8a}};
    // The length keeps "ab" + "c" apart from "a" + "bc".
    std::string names = std::to_string(first_name.size()) + ' ';
    names += first_name;
    names += second_name;
    return boost::uuids::to_string(boost::uuids::name_generator_sha1(space)(names));
}

}  // namespace rushproof
