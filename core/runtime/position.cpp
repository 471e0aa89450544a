#include "core/runtime/position.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "core/ports/context.hpp"

namespace rushproof {

namespace {

constexpr char between_entries = '.';
constexpr char after_shard = ':';
constexpr int base = 16;

// By shard.
using Positions = std::map<std::uint32_t, LogPosition>;

template <class Number>
bool read_all(std::string_view text, Number& number, int number_base) {
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, number_base);
    return error == std::errc() && end == last;
}

// False, and nothing added, when it is no entry.
bool add_entry(std::string_view entry, Positions& positions) {
    const std::size_t colon = entry.find(after_shard);
    std::uint32_t shard = 0;
    LogPosition position = 0;
    if (colon == std::string_view::npos || !read_all(entry.substr(0, colon), shard, 10) ||
        !read_all(entry.substr(colon + 1), position, base) || shard == 0 || shard > shards_max) {
        return false;
    }
    positions[shard] = std::max(positions[shard], position);
    return true;
}

// False when some of it could not be read.
bool add_entries(std::string_view text, Positions& positions) {
    bool good = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(between_entries), text.size());
        good &= add_entry(text.substr(0, end), positions);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return good;
}

void append(std::string& text, std::uint32_t shard, LogPosition position) {
    std::array<char, 2 * sizeof position> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), position, base).ptr;
    if (!text.empty()) { text += between_entries; }
    text += std::to_string(shard) + after_shard;
    text.append(digits.begin(), end);
}

}  // namespace

std::string position_text(Shard shard, LogPosition position) {
    std::string text;
    if (position > 0) { append(text, shard.number, position); }
    return text;
}

Result<TransactionOptions> reading_at(std::string_view text, Shard shard, Route route) {
    TransactionOptions options;
    options.access = Access::read_only;
    if (text == latest_position) { return options; }
    options.route = route;
    Positions positions;
    if (!add_entries(text, positions)) {
        return failure(ErrorKind::permanent, "malformed",
                       "rushproof-position must be what the answer to a write carried, or latest");
    }
    options.seen = positions[shard.number];
    return options;
}

std::string joined_positions(std::string_view first, std::string_view second) {
    Positions positions;
    add_entries(first, positions);
    add_entries(second, positions);
    std::string text;
    for (const auto& [shard, position] : positions) { append(text, shard, position); }
    return text;
}

}  // namespace rushproof
