#include "core/runtime/base64.hpp"

#include <array>
#include <cstdint>

namespace rushproof {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t none = 0xFF;

constexpr std::array<std::uint8_t, 256> digits_of() {
    std::array<std::uint8_t, 256> digits{};
    for (auto& digit : digits) { digit = none; }
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}

constexpr auto digits = digits_of();

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
    return static_cast<unsigned char>(bytes[index]);
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
    std::size_t at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t three =
            byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        out[at++] = alphabet[three >> 18];
        out[at++] = alphabet[three >> 12 & 63];
        out[at++] = alphabet[three >> 6 & 63];
        out[at++] = alphabet[three & 63];
    }
    const std::size_t left = bytes.size() - i;
    if (left == 0) { return; }
    const std::uint32_t last =
        byte_at(bytes, i) << 16 | (left == 2 ? byte_at(bytes, i + 1) << 8 : 0);
    out[at++] = alphabet[last >> 18];
    out[at++] = alphabet[last >> 12 & 63];
    out[at++] = left == 2 ? alphabet[last >> 6 & 63] : '=';
    out[at] = '=';
}

std::optional<std::string> base64_decoded(std::string_view text) {
    if (text.size() % 4 != 0) { return std::nullopt; }
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_padding = i >= text.size() - padding;
        const std::uint8_t digit =
            is_padding ? std::uint8_t{0} : digits[static_cast<unsigned char>(text[i])];
        if (digit == none) { return std::nullopt; }
        bits = bits << 6 | digit;
        if (i % 4 != 3) { continue; }
        bytes += static_cast<char>(bits >> 16 & 0xFF);
        bytes += static_cast<char>(bits >> 8 & 0xFF);
        bytes += static_cast<char>(bits & 0xFF);
    }
    // The bits that the padding leaves over are zero, or two texts would mean the same bytes.
    for (std::size_t i = 0; i < padding; ++i) {
        if (bytes.back() != '\0') { return std::nullopt; }
        bytes.pop_back();
    }
    return bytes;
}

}  // namespace rushproof
