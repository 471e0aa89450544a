#include "services/catalog/catalog.hpp"

namespace rushproof::catalog {

namespace {

// Texts that are compared sort by bytes, whatever the database's collation: so pages follow each
// other.
constexpr Migration create_tables{
    .version = 1,
    .name = "catalog.create_tables",
    .sql = R"(
CREATE SCHEMA catalog;

CREATE OR REPLACE FUNCTION transaction_time() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';

CREATE TABLE catalog.product (
    sku text PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    category text NOT NULL,
    minor_units bigint NOT NULL,
    currency text NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX product_of_category ON catalog.product (category, id);

CREATE TABLE catalog.deletion (
    id text COLLATE "C" PRIMARY KEY,
    done bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX deletion_age ON catalog.deletion (done, at);

CREATE TABLE catalog.idempotency (
    owner text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    result text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (owner, operation, key)
);
CREATE INDEX idempotency_age ON catalog.idempotency (created_at);

CREATE TABLE catalog.outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    lane bigint NOT NULL,
    aggregate text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX outbox_of_lane ON catalog.outbox (lane, number);

CREATE TABLE catalog.outbox_lane (
    lane bigint PRIMARY KEY,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL
);

CREATE TABLE catalog.feed (
    product text PRIMARY KEY,
    version bigint NOT NULL,
    kind text NOT NULL,
    gaps bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX feed_age ON catalog.feed (at) WHERE kind = 'product.deleted';
)",
    .sqlite = R"(
CREATE TABLE catalog_product (
    sku TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    minor_units INTEGER NOT NULL,
    currency TEXT NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX catalog_product_of_category ON catalog_product (category, id);

CREATE TABLE catalog_deletion (
    id TEXT PRIMARY KEY NOT NULL,
    done INTEGER NOT NULL,
    at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX catalog_deletion_age ON catalog_deletion (done, at);

CREATE TABLE catalog_idempotency (
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (owner, operation, key)
) WITHOUT ROWID;
CREATE INDEX catalog_idempotency_age ON catalog_idempotency (created_at);

CREATE TABLE catalog_outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    aggregate TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX catalog_outbox_of_lane ON catalog_outbox (lane, number);

CREATE TABLE catalog_outbox_lane (
    lane INTEGER PRIMARY KEY NOT NULL,
    claim TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL
);

CREATE TABLE catalog_feed (
    product TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    gaps INTEGER NOT NULL,
    at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX catalog_feed_age ON catalog_feed (at) WHERE kind = 'product.deleted';
)",
};

// Whoever reads the log hears of new events only, not of their removal.
constexpr Migration publish_events{
    .version = 2,
    .name = "catalog.publish_events",
    .sql = R"(
ALTER TABLE catalog.outbox
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN dead bigint NOT NULL DEFAULT 0;

DROP PUBLICATION IF EXISTS catalog_outbox;  -- outlives a dropped schema
CREATE PUBLICATION catalog_outbox FOR TABLE catalog.outbox WITH (publish = 'insert');
)",
    .sqlite = R"(
ALTER TABLE catalog_outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalog_outbox ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE catalog_outbox ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
)",
};

}  // namespace

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> all{create_tables, publish_events};
    return all;
}

}  // namespace rushproof::catalog
