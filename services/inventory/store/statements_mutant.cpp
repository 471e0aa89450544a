#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory::mutants {

const Statement lock_due_by{
    "inventory.mutant.lock_due_by",
    "SELECT id, sku, quantity, key, lines FROM inventory.reservation "
    "WHERE state = 'held' AND expires_at <= $2 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
    "SELECT id, sku, quantity, key, lines FROM reservation "
    "WHERE state = 'held' AND expires_at <= $2 ORDER BY id LIMIT $1",
};

const Statement lock_due_any_state{
    "inventory.mutant.lock_due_any_state",
    "SELECT id, sku, quantity, key, lines FROM inventory.reservation "
    "WHERE state <> 'expired' AND expires_at <= transaction_time() "
    "ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
    "SELECT id, sku, quantity, key, lines FROM reservation "
    "WHERE state <> 'expired' AND expires_at <= transaction_time() ORDER BY id LIMIT $1",
};

const Statement expire_any_state{
    "inventory.mutant.expire_any_state",
    "UPDATE inventory.reservation SET state = 'expired' WHERE id = ANY($1::text[])",
    "UPDATE reservation SET state = 'expired' WHERE id IN (SELECT value FROM json_each($1))",
};

const Statement find_loose_key{
    "inventory.mutant.find_loose_key",
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "(extract(epoch FROM r.expires_at - r.created_at) * 1000000)::bigint "
    "FROM inventory.idempotency_loose i JOIN inventory.reservation r ON r.id = i.result "
    "WHERE i.owner = $1 AND i.operation = $2 AND i.key = $3 ORDER BY i.number LIMIT 1",
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "r.expires_at - r.created_at "
    "FROM idempotency_loose i JOIN reservation r ON r.id = i.result "
    "WHERE i.owner = $1 AND i.operation = $2 AND i.key = $3 ORDER BY i.number LIMIT 1",
};

const Statement insert_loose_key{
    "inventory.mutant.insert_loose_key",
    "INSERT INTO inventory.idempotency_loose (owner, operation, key, fingerprint, result) "
    "VALUES ($1, $2, $3, $4, $5)",
    "INSERT INTO idempotency_loose (owner, operation, key, fingerprint, result) "
    "VALUES ($1, $2, $3, $4, $5)",
};

const Statement sum_held{
    "inventory.mutant.sum_held",
    "SELECT coalesce(sum(quantity), 0)::bigint FROM inventory.reservation "
    "WHERE sku = $1 AND state = 'held'",
    "SELECT coalesce(sum(quantity), 0) FROM reservation WHERE sku = $1 AND state = 'held'",
};

const Statement read_new_events{
    "inventory.mutant.read_new_events",
    "SELECT number, id, aggregate, kind, body, 0::bigint FROM inventory.outbox "
    "WHERE number > (SELECT coalesce(max(last), 0) FROM inventory.feed) ORDER BY number LIMIT $1",
    "SELECT number, id, aggregate, kind, body, 0 FROM outbox "
    "WHERE number > (SELECT coalesce(max(last), 0) FROM feed) ORDER BY number LIMIT $1",
};

const Statement read_due{
    "inventory.mutant.read_due",
    "SELECT id, sku, quantity, key, lines FROM inventory.reservation "
    "WHERE state = 'held' AND expires_at <= transaction_time() ORDER BY id LIMIT $1",
    "SELECT id, sku, quantity, key, lines FROM reservation "
    "WHERE state = 'held' AND expires_at <= transaction_time() ORDER BY id LIMIT $1",
};

const Migration create_tables{
    .version = 1'000'001,
    .name = "inventory.mutant.create_tables",
    .sql = R"(
CREATE TABLE inventory.idempotency_loose (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    result text NOT NULL
);
)",
    .sqlite = R"(
CREATE TABLE idempotency_loose (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    result TEXT NOT NULL
);
)",
};

const std::vector<const Statement*>& statements() {
    static const std::vector<const Statement*> all{
        &lock_due_by,      &lock_due_any_state, &expire_any_state, &find_loose_key,
        &insert_loose_key, &sum_held,           &read_new_events,  &read_due,
    };
    return all;
}

}  // namespace rushproof::inventory::mutants
