// The feed: what the events say about the stock of each SKU, kept apart from the stock itself.  It
// follows with the outbox's delay, and every event counts once: the inbox knows its id.
#pragma once
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/outbox.hpp"

namespace rushproof::inventory {

// As TakeEvents.  `database` outlives the task.
Task<Result<void>> add_to_feed(Database& database, Context context,
                               std::vector<OutboxEvent> events);

}  // namespace rushproof::inventory
