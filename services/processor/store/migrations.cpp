#include "services/processor/processor.hpp"
#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor {

namespace {

// Ids sort by bytes, whatever the database's collation: so pages follow each other.
constexpr Migration create_tables{
    .version = 1,
    .name = "processor.create_tables",
    .sql = R"(
CREATE SCHEMA processor;

CREATE OR REPLACE FUNCTION transaction_time() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';

CREATE TABLE processor.result (
    message_id text COLLATE "C" PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    key text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    processed_at timestamptz NOT NULL,
    success bigint NOT NULL,
    error text NOT NULL,
    result text NOT NULL,
    provider text NOT NULL
);

CREATE TABLE processor.dead_letter (
    message_id text COLLATE "C" PRIMARY KEY,
    key text NOT NULL,
    provider text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    attempts bigint NOT NULL,
    dead_at timestamptz NOT NULL,
    replays bigint NOT NULL,
    replayed_at timestamptz,
    message text NOT NULL
);
)",
    .sqlite = R"(
CREATE TABLE processor_result (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    processed_at TIMESTAMP NOT NULL,
    success INTEGER NOT NULL,
    error TEXT NOT NULL,
    result TEXT NOT NULL,
    provider TEXT NOT NULL
);

CREATE TABLE processor_dead_letter (
    message_id TEXT PRIMARY KEY NOT NULL,
    key TEXT NOT NULL,
    provider TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    dead_at TIMESTAMP NOT NULL,
    replays INTEGER NOT NULL,
    replayed_at TIMESTAMP,
    message TEXT NOT NULL
) WITHOUT ROWID;
)",
};

constexpr Migration add_queue_route{
    .version = 2,
    .name = "processor.add_queue_route",
    .sql = R"(
CREATE TABLE processor.queue_route (
    one bigint PRIMARY KEY,
    epoch bigint NOT NULL,
    provider text NOT NULL,
    previous text NOT NULL,
    phase text NOT NULL,
    begun_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL
);

CREATE TABLE processor.queue_member (
    id text COLLATE "C" PRIMARY KEY,
    role text NOT NULL,
    epoch bigint NOT NULL,
    drained bigint NOT NULL,
    carried bigint NOT NULL,
    until_at timestamptz NOT NULL
);

CREATE TABLE processor.queue_switch (
    epoch bigint PRIMARY KEY,
    from_provider text NOT NULL,
    to_provider text NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    carried bigint NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL
);
)",
    .sqlite = R"(
CREATE TABLE processor_queue_route (
    one INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    provider TEXT NOT NULL,
    previous TEXT NOT NULL,
    phase TEXT NOT NULL,
    begun_at TIMESTAMP NOT NULL,
    deadline_at TIMESTAMP NOT NULL
);

CREATE TABLE processor_queue_member (
    id TEXT PRIMARY KEY NOT NULL,
    role TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    drained INTEGER NOT NULL,
    carried INTEGER NOT NULL,
    until_at TIMESTAMP NOT NULL
) WITHOUT ROWID;

CREATE TABLE processor_queue_switch (
    epoch INTEGER PRIMARY KEY,
    from_provider TEXT NOT NULL,
    to_provider TEXT NOT NULL,
    begun_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    carried INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL
);
)",
};

constexpr Migration create_queue{
    .version = 3,
    .name = "processor.create_queue",
    .sql = R"(
CREATE TABLE processor.queue_group (group_name text PRIMARY KEY);

CREATE TABLE processor.queue_lane (
    group_name text NOT NULL,
    lane bigint NOT NULL,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL,
    PRIMARY KEY (group_name, lane)
);

CREATE TABLE processor.queue_message (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name text NOT NULL,
    id text NOT NULL,
    lane bigint NOT NULL,
    content text NOT NULL,
    published_at timestamptz NOT NULL,
    UNIQUE (id, group_name)
);
CREATE INDEX queue_message_of_lane ON processor.queue_message (group_name, lane, number);

CREATE TABLE processor.divergence (
    message_id text COLLATE "C" PRIMARY KEY,
    lacking text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    message text NOT NULL
);
)",
    .sqlite = R"(
CREATE TABLE processor_queue_group (group_name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;

CREATE TABLE processor_queue_lane (
    group_name TEXT NOT NULL,
    lane INTEGER NOT NULL,
    claim TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL,
    PRIMARY KEY (group_name, lane)
) WITHOUT ROWID;

CREATE TABLE processor_queue_message (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    group_name TEXT NOT NULL,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    content TEXT NOT NULL,
    published_at TIMESTAMP NOT NULL,
    UNIQUE (id, group_name)
);
CREATE INDEX processor_queue_message_of_lane
    ON processor_queue_message (group_name, lane, number);

CREATE TABLE processor_divergence (
    message_id TEXT PRIMARY KEY NOT NULL,
    lacking TEXT NOT NULL,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    message TEXT NOT NULL
) WITHOUT ROWID;
)",
};

std::vector<Migration> list() {
    std::vector<Migration> list{create_tables, add_queue_route, create_queue};
    if constexpr (mutants_compiled) { list.push_back(mutants::create_tables); }
    return list;
}

}  // namespace

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> all = list();
    return all;
}

}  // namespace rushproof::processor
