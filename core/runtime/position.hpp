// The token of read-your-writes as text, opaque to clients: how far the log of each shard that they
// wrote to was, such as "1:9f4c.2:5a0".
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/database.hpp"
#include "core/runtime/shard.hpp"

namespace rushproof {

// Empty for 0: every read sees what has none.
std::string position_text(Shard shard, LogPosition position);

// How to read what this text asks for of the shard: from where `route` says, or from the primary if
// it is latest_position.  Permanent "malformed" for what position_text never said.
Result<TransactionOptions> reading_at(std::string_view text, Shard shard, Route route);

// Of each shard the later one; what cannot be read is left out.
std::string joined_positions(std::string_view first, std::string_view second);

}  // namespace rushproof
