#include "core/runtime/shard.hpp"

#include <charconv>

#include "core/base/hash.hpp"
#include "core/runtime/uuid.hpp"

namespace rushproof {

namespace {

// Apart from the hash that picks an instance: else all keys of a shard would pick the same one.
constexpr std::uint64_t shard_seed = 0x5368'6172'6473;
constexpr std::size_t uuid_length = 36;
constexpr std::size_t version_at = 14;
constexpr std::size_t digits = 4;

std::optional<std::uint32_t> number_in(std::string_view text, int base) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<Shard> parse_shard(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == text.npos) { return std::nullopt; }
    const auto number = number_in(text.substr(0, slash), 10);
    const auto count = number_in(text.substr(slash + 1), 10);
    if (!number || !count || *number < 1 || *number > *count || *count > shards_max) {
        return std::nullopt;
    }
    return Shard{*number, *count};
}

std::string to_string(Shard shard) {
    return std::to_string(shard.number) + "/" + std::to_string(shard.count);
}

std::uint32_t shard_of_key(std::string_view key, std::uint32_t count) {
    return static_cast<std::uint32_t>(hash64(key, shard_seed) % count) + 1;
}

std::string new_uuid(Shard shard, Random& random) {
    std::string uuid = uuid_v4(random);
    if (shard.count == 1) { return uuid; }
    constexpr std::string_view hex = "0123456789abcdef";
    uuid[version_at] = '8';
    for (std::size_t i = 0; i < digits; ++i) {
        uuid[uuid_length - 1 - i] = hex[(shard.number >> (4 * i)) & 15];
    }
    return uuid;
}

std::uint32_t shard_of_uuid(std::string_view uuid, std::uint32_t count) {
    if (uuid.size() != uuid_length) { return 0; }
    if (uuid[version_at] != '8') { return 1; }
    const auto number = number_in(uuid.substr(uuid_length - digits), 16);
    return number && *number >= 1 && *number <= count ? *number : 0;
}

std::string instance_probe(std::uint32_t index, std::uint32_t count) {
    std::string probe;
    while (hash64(probe) % count != index) { probe += '-'; }
    return probe;
}

}  // namespace rushproof
