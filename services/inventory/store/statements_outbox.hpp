// The outbox, and what the feed made of its events.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/outbox.hpp"

namespace rushproof::inventory::statements::outbox {

// $1 ids, $2 lanes, $3 aggregates, $4 kinds, $5 bodies
extern const Statement append;

// As OutboxStatements says.
extern const Statement create_lanes;
extern const Statement backlog;
extern const Statement claim_lane;
extern const Statement read_lane;
extern const Statement remove;
extern const Statement release_lane;

// The feed's inbox and table.
extern const Statement receive;      // $1 ids -> those that came for the first time
extern const Statement forget;       // $1 age in us
extern const Statement open_feed;    // $1 SKUs; those that are there stay
extern const Statement add_to_feed;  // $1 SKUs, $2 on_hand, $3 held, $4 sold: changes; $5 first and
                                     // $6 last number of their events

const std::vector<const Statement*>& all();
OutboxStatements for_relay();

}  // namespace rushproof::inventory::statements::outbox
