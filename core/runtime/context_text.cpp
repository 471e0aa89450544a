#include "core/runtime/context_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace rushproof {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) { return std::nullopt; }
    return value;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += '%';
            result += hex_digits[byte >> 4];
            result += hex_digits[byte & 15];
        }
    }
    return result;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const auto digits = text.substr(i + 1, 2);
            const auto byte = parse_hex(digits);
            if (!byte || digits.size() != 2) { return std::nullopt; }
            result += static_cast<char>(*byte);
            i += 2;
        } else {
            result += text[i];
        }
    }
    return result;
}

// 00-<32 hexadecimal digits>-<16>-<2>
TraceId parse_traceparent(std::string_view text) {
    if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') {
        return {};
    }
    const auto high = parse_hex(text.substr(3, 16));
    const auto low = parse_hex(text.substr(19, 16));
    const auto span = parse_hex(text.substr(36, 16));
    if (!high || !low || !span) { return {}; }
    TraceId trace;
    trace.high = *high;
    trace.low = *low;
    trace.span = *span;
    return trace;
}

std::string format_traceparent(const TraceId& trace) {
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "00-%016llx%016llx-%016llx-01",
                                   static_cast<unsigned long long>(trace.high),
                                   static_cast<unsigned long long>(trace.low),
                                   static_cast<unsigned long long>(trace.span));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace rushproof
