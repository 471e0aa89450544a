#include "services/inventory/inventory.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory {

namespace {

constexpr Migration create_tables{
    .version = 1,
    .name = "inventory.create_tables",
    .sql = R"(
CREATE SCHEMA inventory;

CREATE OR REPLACE FUNCTION transaction_time() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';

CREATE TABLE inventory.stock (
    sku text PRIMARY KEY,
    on_hand bigint NOT NULL,
    held bigint NOT NULL,
    sold bigint NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE inventory.reservation (
    id text PRIMARY KEY,
    sku text NOT NULL,
    quantity bigint NOT NULL,
    owner text NOT NULL,
    key text NOT NULL,
    state text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX reservation_due ON inventory.reservation (expires_at) WHERE state = 'held';
CREATE INDEX reservation_due_of_sku ON inventory.reservation (sku, expires_at)
    WHERE state = 'held';

CREATE TABLE inventory.ledger (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL,
    reservation text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    quantity bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ledger_of_sku ON inventory.ledger (sku, number);

CREATE TABLE inventory.idempotency (
    owner text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    result text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (owner, operation, key)
);
CREATE INDEX idempotency_age ON inventory.idempotency (created_at);
)",
    .sqlite = R"(
CREATE TABLE stock (
    sku TEXT PRIMARY KEY NOT NULL,
    on_hand INTEGER NOT NULL,
    held INTEGER NOT NULL,
    sold INTEGER NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE reservation (
    id TEXT PRIMARY KEY NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX reservation_due ON reservation (expires_at) WHERE state = 'held';
CREATE INDEX reservation_due_of_sku ON reservation (sku, expires_at) WHERE state = 'held';

CREATE TABLE ledger (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sku TEXT NOT NULL,
    reservation TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX ledger_of_sku ON ledger (sku, number);

CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (owner, operation, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);
)",
};

constexpr Migration add_lines{
    .version = 2,
    .name = "inventory.add_lines",
    .sql = R"(
ALTER TABLE inventory.reservation ADD COLUMN lines bigint NOT NULL DEFAULT 1;
ALTER TABLE inventory.reservation DROP CONSTRAINT reservation_pkey;
ALTER TABLE inventory.reservation ADD PRIMARY KEY (id, sku);
)",
    .sqlite = R"(
DROP INDEX reservation_due;
DROP INDEX reservation_due_of_sku;
ALTER TABLE reservation RENAME TO reservation_of_one_line;
CREATE TABLE reservation (
    id TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    lines INTEGER NOT NULL,
    PRIMARY KEY (id, sku)
) WITHOUT ROWID;
INSERT INTO reservation SELECT *, 1 FROM reservation_of_one_line;
DROP TABLE reservation_of_one_line;
CREATE INDEX reservation_due ON reservation (expires_at) WHERE state = 'held';
CREATE INDEX reservation_due_of_sku ON reservation (sku, expires_at) WHERE state = 'held';
)",
};

// Statements sort by bytes, whatever the database's collation: so that locks are taken in one
// order, and pages follow each other.
constexpr Migration add_outbox{
    .version = 3,
    .name = "inventory.add_outbox",
    .sql = R"(
CREATE TABLE inventory.outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    lane bigint NOT NULL,
    aggregate text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX outbox_of_lane ON inventory.outbox (lane, number);

CREATE TABLE inventory.outbox_lane (
    lane bigint PRIMARY KEY,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL
);

CREATE TABLE inventory.inbox (
    id text PRIMARY KEY,
    received_at timestamptz NOT NULL
);
CREATE INDEX inbox_age ON inventory.inbox (received_at);

CREATE TABLE inventory.feed (
    sku text PRIMARY KEY,
    on_hand bigint NOT NULL,
    held bigint NOT NULL,
    sold bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    disorder bigint NOT NULL
);

CREATE INDEX reservation_of_owner
    ON inventory.reservation (owner, id COLLATE "C", sku COLLATE "C");
CREATE INDEX stock_in_pages ON inventory.stock (sku COLLATE "C");
)",
    .sqlite = R"(
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    aggregate TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX outbox_of_lane ON outbox (lane, number);

CREATE TABLE outbox_lane (
    lane INTEGER PRIMARY KEY NOT NULL,
    claim TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL
);

CREATE TABLE inbox (
    id TEXT PRIMARY KEY NOT NULL,
    received_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbox_age ON inbox (received_at);

CREATE TABLE feed (
    sku TEXT PRIMARY KEY NOT NULL,
    on_hand INTEGER NOT NULL,
    held INTEGER NOT NULL,
    sold INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    disorder INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX reservation_of_owner ON reservation (owner, id, sku);
)",
};

// Whoever reads the log hears of new events only, not of their removal.
constexpr Migration publish_events{
    .version = 4,
    .name = "inventory.publish_events",
    .sql = R"(
ALTER TABLE inventory.outbox
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN dead bigint NOT NULL DEFAULT 0;

DROP PUBLICATION IF EXISTS inventory_outbox;  -- outlives a dropped schema
CREATE PUBLICATION inventory_outbox FOR TABLE inventory.outbox WITH (publish = 'insert');
)",
    .sqlite = R"(
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
)",
};

std::vector<Migration> list() {
    std::vector<Migration> list{create_tables, add_lines, add_outbox, publish_events};
    if constexpr (mutants_compiled) { list.push_back(mutants::create_tables); }
    return list;
}

}  // namespace

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> all = list();
    return all;
}

}  // namespace rushproof::inventory
