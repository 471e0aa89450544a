// Numbers as PostgreSQL's replication protocol has them: big-endian.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rushproof::postgres {

// `bytes` has as many as the number.
template <class Number>
Number read_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) { value = value << 8 | static_cast<std::uint8_t>(byte); }
    return static_cast<Number>(value);
}

template <class Number>
void append_big_endian(std::string& text, Number number) {
    const auto value = static_cast<std::uint64_t>(number);
    for (std::size_t i = sizeof(Number); i-- > 0;) {
        text += static_cast<char>(value >> (i * 8) & 0xff);
    }
}

}  // namespace rushproof::postgres
