// The feed: what the events say of each product, kept apart from the products themselves.  It
// follows with the outbox's delay.  Versions count a product's events, so one that comes again is
// known by its version, and one that never came leaves a gap.
#pragma once
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/outbox.hpp"

namespace rushproof::catalog {

// As TakeEvents.  `database` outlives the task.
Task<Result<void>> add_to_feed(Database& database, Context context,
                               std::vector<OutboxEvent> events);

}  // namespace rushproof::catalog
