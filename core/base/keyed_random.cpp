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

// ln(2) in units of 2^-64, and log2(e) - 1.
constexpr std::uint64_t natural_log_of_two = 0xB17217F7D1CF79ABull;
constexpr std::uint64_t binary_log_of_e_less_one = 0x71547652B82FE177ull;

constexpr std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64);
}

// For (256 + i) / 256: its logarithm, and the inverse of 256 + i; both in units of 2^-64.
constexpr int table_bits = 8;
struct Logarithm {
    std::uint64_t binary_log = 0;
    std::uint64_t inverse = 0;
};
constexpr std::array<Logarithm, 1 << table_bits> make_logarithms() {
    std::array<Logarithm, 1 << table_bits> table{};
    for (std::uint64_t i = 1; i < table.size(); ++i) {
        table[i].inverse = ~std::uint64_t{0} / (table.size() + i);
        std::uint64_t mantissa = (table.size() + i) << (63 - table_bits);
        // Squaring doubles the logarithm; each overflow past 2 is the next binary digit.
        for (int digit = 63; digit >= 16; --digit) {
            const auto square = static_cast<unsigned __int128>(mantissa) * mantissa;
            const bool carry = (square >> 127) != 0;
            mantissa = static_cast<std::uint64_t>(square >> (carry ? 64 : 63));
            if (carry) { table[i].binary_log |= std::uint64_t{1} << digit; }
        }
    }
    table[0].inverse = ~std::uint64_t{0} / table.size();
    return table;
}
constexpr auto logarithms = make_logarithms();

}  // namespace

std::uint64_t binary_log(std::uint64_t n) {
    const int whole = 63 - std::countl_zero(n);
    const std::uint64_t fraction = n << (63 - whole) << 1;  // of the mantissa, in units of 2^-64
    // The mantissa is (256 + i) / 256 * (1 + r), and r < 1/256: four terms of its series will do.
    const Logarithm& entry = logarithms[fraction >> (64 - table_bits)];
    const std::uint64_t r = multiply_high(fraction << table_bits, entry.inverse);
    const std::uint64_t r2 = multiply_high(r, r);
    const std::uint64_t r3 = multiply_high(r2, r);
    const std::uint64_t r4 = multiply_high(r2, r2);
    const std::uint64_t natural = r - r2 / 2 + r3 / 3 - r4 / 4;
    const std::uint64_t binary = natural + multiply_high(natural, binary_log_of_e_less_one);
    return (static_cast<std::uint64_t>(whole) << fraction_bits) |
           (entry.binary_log + binary) >> (64 - fraction_bits);
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
