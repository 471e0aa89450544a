// The statements of a role's outbox.  Its tables, in the role's own migrations:
//   outbox (number, id, lane, aggregate, kind, body, created_at, attempts, reason, dead), number
//   counted by the database; attempts and dead are 0 and the reason is empty until it is refused
//   outbox_lane (lane, claim, claimed_until)
#pragma once
#include <string_view>
#include <vector>

#include "core/runtime/outbox.hpp"
#include "core/runtime/role_tables.hpp"

namespace rushproof {

class OutboxSql {
    StatementMaker maker_;

public:
    explicit OutboxSql(RoleTables tables);
    OutboxSql(const OutboxSql&) = delete;
    OutboxSql& operator=(const OutboxSql&) = delete;

    const Statement append;  // as OutboxAppend calls it
    // As OutboxStatements says.
    const Statement create_lanes;
    const Statement backlog;
    const Statement ends;
    const Statement waiting;
    const Statement claim_lane;
    const Statement read_lane;
    const Statement remove;
    const Statement refuse;
    const Statement release_lane;

    std::vector<const Statement*> all() const;
    OutboxStatements for_relay() const;

    // The tables' names in the simulated database.
    const std::string_view events;
    const std::string_view lanes;
};

}  // namespace rushproof
