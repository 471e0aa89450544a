// The statements behind a route.  Its tables, in the role's own migrations:
//   queue_route (one, epoch, provider, previous, phase, begun_at, deadline_at), of one row
//   queue_member (id, role, epoch, drained, carried, until_at)
//   queue_switch (epoch, from_provider, to_provider, begun_at, ended_at, carried, outcome, reason)
#pragma once
#include <string_view>
#include <vector>

#include "core/runtime/role_tables.hpp"

namespace rushproof {

class QueueRouteSql {
    StatementMaker maker_;

public:
    explicit QueueRouteSql(RoleTables tables);
    QueueRouteSql(const QueueRouteSql&) = delete;
    QueueRouteSql& operator=(const QueueRouteSql&) = delete;

    const Statement create;  // $1 provider; the row that exists stays
    const Statement read;    // -> epoch, provider, previous, phase, age and time left in us
    // They change the row of the epoch $1, and nothing if it has another by now.
    const Statement begin;    // $2 provider, $3 us until the deadline
    const Statement advance;  // $2 phase
    const Statement settle;   // $2 provider
    // After settle of the epoch before $1: $2 from, $3 to, $4 carried, $5 outcome, $6 reason.
    const Statement record;
    const Statement switches;  // $1 limit -> from, to, begun_at, length in us, carried, outcome,
                               // reason; the latest first

    const Statement renew;    // $1 id, $2 role, $3 epoch, $4 drained, $5 carried, $6 lease in us
    const Statement members;  // whose lease holds -> id, role, epoch, drained, carried
    const Statement leave;    // $1 id
    const Statement forget;   // $1 us since the lease ended

    std::vector<const Statement*> all() const;

    // The tables' names in the simulated database.
    const std::string_view route_table;
    const std::string_view member_table;
    const std::string_view switch_table;
};

}  // namespace rushproof
