// The place in its log up to which the server knows that we are done: a replication slot.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof::postgres {

struct Slot {
    std::string name;
    bool is_read = false;  // by somebody, now
    std::int64_t lag = 0;  // bytes of the log that the server keeps for it
};

// Of a publication; made when it is missing.  Errors: those of the database; retryable "log-in-use"
// when somebody else has just made it.
Task<Result<Slot>> find_slot(Database& database, Context context, std::string publication);

// Whether everybody sees what these transactions did.  The log tells of a commit earlier than that:
// with synchronous standbys, before they have it.
Task<Result<bool>> are_visible(Database& database, Context context,
                               std::vector<std::int64_t> transactions);

}  // namespace rushproof::postgres
