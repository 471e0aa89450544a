// A role "test" that has an outbox.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/outbox_sql.hpp"

namespace rushproof {

inline const OutboxSql& test_outbox_sql() {
    static const OutboxSql made({"test", "test.", "test_"});
    return made;
}

inline const std::vector<Migration>& test_outbox_migrations() {
    static const std::vector<Migration> all{{.version = 1,
                                             .name = "test.create_outbox",
                                             .sql = R"(
CREATE SCHEMA test;
CREATE OR REPLACE FUNCTION transaction_time() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';
CREATE TABLE test.outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    lane bigint NOT NULL,
    aggregate text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    dead bigint NOT NULL DEFAULT 0
);
CREATE TABLE test.outbox_lane (
    lane bigint PRIMARY KEY,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL
);
CREATE PUBLICATION test_outbox FOR TABLE test.outbox WITH (publish = 'insert');
)",
                                             .sqlite = R"(
CREATE TABLE test_outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    aggregate TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE test_outbox_lane (
    lane INTEGER PRIMARY KEY NOT NULL,
    claim TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL
);
)"}};
    return all;
}

}  // namespace rushproof
