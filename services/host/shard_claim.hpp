// A database belongs to one shard of one map, for ever.
#pragma once
#include <string>
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/shard.hpp"

namespace rushproof {

// Of the schema "shard"; applied after inventory's, whose data made without a map is shard 1/1.
const std::vector<Migration>& shard_migrations();

// The first one to ask decides.  Permanent "wrong-shard" when the database is another shard's, or
// was filled under another number of shards.
Task<Result<void>> claim_shard(Database& database, Context context, Shard shard);

}  // namespace rushproof
