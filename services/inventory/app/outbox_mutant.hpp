// M14 to M17: events that get lost on the way, or tell what never happened.
#pragma once
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/outbox.hpp"
#include "services/inventory/mutant.hpp"

namespace rushproof::inventory {

// M14, M15: takes the outbox's call out of `record`; the events that it would have written.
std::vector<OutboxEvent> without_outbox(Mutant mutant, std::vector<Call>& record);

// M16, M17: one round of a relay; how many events it delivered.
Task<Result<std::size_t>> deliver_carelessly(Environment& environment, Context context,
                                             Mutant mutant);

}  // namespace rushproof::inventory
