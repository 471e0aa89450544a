// Little-endian numbers and length-prefixed texts in a byte string.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace rushproof::simulator {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

class BinaryWriter {
public:
    void number(std::integral auto value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view text) {
        number(static_cast<std::uint32_t>(text.size()));
        bytes_.append(text);
    }
    const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

// After the first read past the end it is not ok, and everything reads as zero or empty.
class BinaryReader {
public:
    explicit BinaryReader(std::string_view bytes) : rest_(bytes) {}

    template <std::integral Number>
    Number number() {
        Number value{};
        take(sizeof value).copy(reinterpret_cast<char*>(&value), sizeof value);
        return value;
    }
    std::string_view text() { return take(number<std::uint32_t>()); }
    std::string_view take(std::size_t size) {
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace rushproof::simulator
