// The statements of a queue in tables, which are in the role's own migrations.  For PostgreSQL, in
// the role's schema:
//   CREATE TABLE queue_group (group_name text PRIMARY KEY);
//   CREATE TABLE queue_lane (
//       group_name text NOT NULL,
//       lane bigint NOT NULL,
//       claim text NOT NULL,
//       claimed_until timestamptz NOT NULL,
//       PRIMARY KEY (group_name, lane)
//   );
//   CREATE TABLE queue_message (
//       number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
//       group_name text NOT NULL,
//       id text NOT NULL,
//       lane bigint NOT NULL,
//       content text NOT NULL,
//       published_at timestamptz NOT NULL,
//       UNIQUE (id, group_name)
//   );
//   CREATE INDEX queue_message_of_lane ON queue_message (group_name, lane, number);
// For SQLite, each name with the role's prefix: TEXT, INTEGER and TIMESTAMP; number is INTEGER
// PRIMARY KEY AUTOINCREMENT.
//
// A message has a row for each group that has not acknowledged it.  The group with the empty name
// stands for the queue itself: its row in queue_group is what publishers lock, so that numbers
// become visible in their order, and it keeps messages while there is no other group.
#pragma once
#include <string_view>
#include <vector>

#include "core/runtime/role_tables.hpp"

namespace rushproof {

class TableQueueSql {
    StatementMaker maker_;

public:
    explicit TableQueueSql(RoleTables tables);
    TableQueueSql(const TableQueueSql&) = delete;
    TableQueueSql& operator=(const TableQueueSql&) = delete;

    const Statement create;    // the queue itself; harmless when it exists
    const Statement lock;      // the queue itself -> one row
    const Statement fullest;   // -> messages of the group that has most, or no row
    const Statement find_ids;  // $1 ids -> those that are kept
    const Statement append;    // $1 ids, $2 lanes, $3 contents: for each group, in this order

    const Statement add_group;      // $1 group; affects no row when it exists
    const Statement create_lanes;   // $1 group, $2 lanes
    const Statement copy;           // $1 group: gets all messages that are kept
    const Statement remove_unread;  // of the queue itself

    // $1 group, $2 claim, $3 its length in us, $4 numbers to leave out, $5 lanes at most: of those
    // that are free or claimed so already, the ones with the oldest messages -> lanes
    const Statement claim;
    // $1 group, $2 claim, $3 numbers to leave out, $4 limit, of lanes that are claimed so
    // -> number, content
    const Statement read;
    const Statement renew;    // $1 claims, $2 their length in us
    const Statement release;  // $1 group, $2 claim, $3 lanes
    const Statement abandon;  // $1 claims: all lanes
    const Statement remove;   // $1 numbers

    const Statement count;       // $1 group -> number of messages
    const Statement find_group;  // $1 group -> its name

    std::vector<const Statement*> all() const;

    // The tables' names in the simulated database.
    const std::string_view groups;
    const std::string_view lanes;
    const std::string_view messages;
};

}  // namespace rushproof
