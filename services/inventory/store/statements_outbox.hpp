// The outbox, and what the feed made of its events.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/outbox_sql.hpp"

namespace rushproof::inventory::statements::outbox {

const OutboxSql& sql();
extern const Statement& append;
extern const Statement& read_lane;
extern const Statement& remove;

// The feed's inbox and table.
extern const Statement receive;      // $1 ids -> those that came for the first time
extern const Statement forget;       // $1 age in us
extern const Statement open_feed;    // $1 SKUs; those that are there stay
extern const Statement add_to_feed;  // $1 SKUs, $2 on_hand, $3 held, $4 sold: changes; $5 first and
                                     // $6 last number of their events

const std::vector<const Statement*>& all();
OutboxStatements for_relay();

}  // namespace rushproof::inventory::statements::outbox
