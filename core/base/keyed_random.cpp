#include "core/base/keyed_random.hpp"

#include <array>
#include <bit>

namespace rushproof {

namespace {

constexpr int fraction_bits = 32;

// 2^(-2^-k) for k = 1..32 in units of 2^-62, each the square root of the one before, rounded down.
constexpr std::uint64_t square_root_2_62(std::uint64_t value) {
    // Finds r with r * r <= value * 2^62.
    std::uint64_t root = 0;
    for (int bit = 62; bit >= 0; --bit) {
        const std::uint64_t candidate = root | (std::uint64_t{1} << bit);
        if (static_cast<unsigned __int128>(candidate) * candidate <=
            (static_cast<unsigned __int128>(value) << 62)) {
            root = candidate;
        }
    }
    return root;
}
constexpr std::array<std::uint64_t, fraction_bits> make_roots_of_half() {
    std::array<std::uint64_t, fraction_bits> roots{};
    std::uint64_t value = std::uint64_t{1} << 61;
    for (auto& root : roots) {
        value = square_root_2_62(value);
        root = value;
    }
    return roots;
}
constexpr auto roots_of_half = make_roots_of_half();

// ln(2) in units of 2^-64.
constexpr std::uint64_t natural_log_of_two = 0xB17217F7D1CF79ABull;

}  // namespace

std::uint64_t binary_log(std::uint64_t n) {
    const int whole = 63 - std::countl_zero(n);
    std::uint64_t mantissa = n << (63 - whole);  // in [1, 2) as units of 2^-63
    std::uint64_t fraction = 0;
    // Squaring doubles the logarithm; each overflow past 2 is the next binary digit.
    for (int digit = 0; digit < fraction_bits; ++digit) {
        const auto square = static_cast<unsigned __int128>(mantissa) * mantissa;
        const bool carry = (square >> 127) != 0;
        mantissa = static_cast<std::uint64_t>(square >> (carry ? 64 : 63));
        fraction = (fraction << 1) | (carry ? 1u : 0u);
    }
    return (static_cast<std::uint64_t>(whole) << fraction_bits) | fraction;
}

std::uint64_t negative_log(std::uint64_t draw) {
    const std::uint64_t n = draw == ~std::uint64_t{0} ? draw : draw + 1;
    const std::uint64_t binary = (std::uint64_t{64} << fraction_bits) - binary_log(n);
    return static_cast<std::uint64_t>(
        (static_cast<unsigned __int128>(binary) * natural_log_of_two) >> 64);
}

std::uint64_t power_of_half(std::uint64_t x) {
    const std::uint64_t whole = x >> fraction_bits;
    if (whole >= 62) { return 0; }
    std::uint64_t result = std::uint64_t{1} << 62;
    for (int digit = 0; digit < fraction_bits; ++digit) {
        if ((x >> (fraction_bits - 1 - digit)) & 1u) {
            const auto product = static_cast<unsigned __int128>(result) *
                                 roots_of_half[static_cast<std::size_t>(digit)];
            result = static_cast<std::uint64_t>(product >> 62);
        }
    }
    return result >> whole;
}

Duration RandomStream::exponential(Duration mean) {
    const auto factor = negative_log(next());
    const auto scaled = (static_cast<unsigned __int128>(mean.count()) * factor) >> fraction_bits;
    return Duration(static_cast<std::int64_t>(scaled));
}

RandomStream keyed_stream(std::uint64_t seed, std::string_view stream, std::uint64_t entity) {
    return RandomStream(combine64(hash64(stream, seed), entity));
}

}  // namespace rushproof
