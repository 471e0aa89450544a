// Which of a role's databases keeps what, when it has several.  Databases were filled by this: it
// never changes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/random.hpp"

namespace rushproof {

inline constexpr std::uint32_t shards_max = 64;

// One of `count` databases, counted from 1.
struct Shard {
    std::uint32_t number = 1;
    std::uint32_t count = 1;
    friend bool operator==(const Shard&, const Shard&) = default;
};

// "2/3".  Nothing for what is none, or has more than shards_max.
std::optional<Shard> parse_shard(std::string_view text);
std::string to_string(Shard shard);

// The number of the shard that keeps this key's data.
std::uint32_t shard_of_key(std::string_view key, std::uint32_t count);

// An identifier that tells the shard that gave it out: a UUID whose last four digits are the
// shard's number (RFC 9562, version 8), or a random one (version 4) where there is one shard.
std::string new_uuid(Shard shard, Random& random);
// 1 for one that tells none; 0 for one that no shard can have given out.
std::uint32_t shard_of_uuid(std::string_view uuid, std::uint32_t count);

// What to say as RpcTarget::shard to get the instance `index` out of `count`.
std::string instance_probe(std::uint32_t index, std::uint32_t count);

}  // namespace rushproof
