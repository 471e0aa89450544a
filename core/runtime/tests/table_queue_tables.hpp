// A role "test" that has a queue in tables.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/table_queue_sql.hpp"

namespace rushproof {

inline const TableQueueSql& test_queue_sql() {
    static const TableQueueSql made({"test", "test.", "test_"});
    return made;
}

inline const std::vector<Migration>& test_queue_migrations() {
    static const std::vector<Migration> all{{.version = 1,
                                             .name = "test.create_queue",
                                             .sql = R"(
CREATE SCHEMA test;
CREATE OR REPLACE FUNCTION transaction_time() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';
CREATE TABLE test.queue_group (group_name text PRIMARY KEY);
CREATE TABLE test.queue_lane (
    group_name text NOT NULL,
    lane bigint NOT NULL,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL,
    PRIMARY KEY (group_name, lane)
);
CREATE TABLE test.queue_message (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name text NOT NULL,
    id text NOT NULL,
    lane bigint NOT NULL,
    content text NOT NULL,
    published_at timestamptz NOT NULL,
    UNIQUE (id, group_name)
);
CREATE INDEX queue_message_of_lane ON test.queue_message (group_name, lane, number);
)",
                                             .sqlite = R"(
CREATE TABLE test_queue_group (group_name TEXT PRIMARY KEY NOT NULL);
CREATE TABLE test_queue_lane (
    group_name TEXT NOT NULL,
    lane INTEGER NOT NULL,
    claim TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL,
    PRIMARY KEY (group_name, lane)
);
CREATE TABLE test_queue_message (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    group_name TEXT NOT NULL,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    content TEXT NOT NULL,
    published_at TIMESTAMP NOT NULL,
    UNIQUE (id, group_name)
);
CREATE INDEX test_queue_message_of_lane ON test_queue_message (group_name, lane, number);
)"}};
    return all;
}

}  // namespace rushproof
