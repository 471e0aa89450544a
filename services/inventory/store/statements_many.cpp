#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory::statements::many {

// SQLite has no arrays: json_each gives their elements, and a materialized one can be joined by an
// automatic index.

const Statement lock_stock{
    "inventory.many.lock_stock",
    "SELECT sku, on_hand, held, sold, version FROM inventory.stock WHERE sku = ANY($1::text[]) "
    "ORDER BY sku COLLATE \"C\" FOR UPDATE",
    "SELECT sku, on_hand, held, sold, version FROM stock "
    "WHERE sku IN (SELECT value FROM json_each($1)) ORDER BY sku",
};

const Statement change_held{
    "inventory.many.change_held",
    "UPDATE inventory.stock s SET held = s.held + c.change, version = s.version + 1 "
    "FROM unnest($1::text[], $2::bigint[]) AS c (sku, change) WHERE s.sku = c.sku",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)) "
    "UPDATE stock SET held = held + c.change, version = version + 1 "
    "FROM (SELECT a.value AS sku, b.value AS change FROM a JOIN b ON b.key = a.key) AS c "
    "WHERE stock.sku = c.sku",
};

const Statement lock_due{
    "inventory.many.lock_due",
    "SELECT id, sku, quantity, key, lines FROM inventory.reservation "
    "WHERE sku = ANY($1::text[]) AND lines = 1 AND state = 'held' "
    "AND expires_at <= transaction_time() ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
    "SELECT id, sku, quantity, key, lines FROM reservation "
    "WHERE sku IN (SELECT value FROM json_each($1)) AND lines = 1 AND state = 'held' "
    "AND expires_at <= transaction_time() ORDER BY id LIMIT $2",
};

const Statement expire_reservation{
    "inventory.many.expire_reservation",
    "UPDATE inventory.reservation SET state = 'expired' "
    "WHERE id = ANY($1::text[]) AND state = 'held'",
    "UPDATE reservation SET state = 'expired' "
    "WHERE id IN (SELECT value FROM json_each($1)) AND state = 'held'",
};

const Statement insert_reservation{
    "inventory.many.insert_reservation",
    "INSERT INTO inventory.reservation "
    "(id, sku, quantity, owner, key, state, expires_at, created_at, lines) "
    "SELECT id, sku, quantity, owner, key, 'held', "
    "transaction_time() + $7::bigint * interval '1 microsecond', transaction_time(), lines "
    "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) "
    "AS r (id, sku, quantity, owner, key, lines) RETURNING expires_at",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "d AS MATERIALIZED (SELECT key, value FROM json_each($4)), "
    "e AS MATERIALIZED (SELECT key, value FROM json_each($5)), "
    "f AS MATERIALIZED (SELECT key, value FROM json_each($6)) "
    "INSERT INTO reservation "
    "(id, sku, quantity, owner, key, state, expires_at, created_at, lines) "
    "SELECT a.value, b.value, c.value, d.value, e.value, 'held', transaction_time() + $7, "
    "transaction_time(), f.value FROM a JOIN b ON b.key = a.key JOIN c ON c.key = a.key "
    "JOIN d ON d.key = a.key JOIN e ON e.key = a.key JOIN f ON f.key = a.key "
    "RETURNING expires_at",
};

// OFFSET 0 keeps PostgreSQL from joining whole tables: a plan that was prepared when they were
// small would be kept while they grow.
const Statement find_keys{
    "inventory.many.find_keys",
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "(extract(epoch FROM r.expires_at - r.created_at) * 1000000)::bigint "
    "FROM unnest($1::text[], $3::text[]) AS k (owner, key) "
    "CROSS JOIN LATERAL (SELECT fingerprint, result FROM inventory.idempotency "
    "WHERE owner = k.owner AND operation = $2 AND key = k.key OFFSET 0) AS i "
    "CROSS JOIN LATERAL (SELECT id, sku, quantity, owner, key, expires_at, created_at "
    "FROM inventory.reservation WHERE id = i.result OFFSET 0) AS r "
    "ORDER BY r.id, r.sku COLLATE \"C\"",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($3)) "
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "r.expires_at - r.created_at FROM a JOIN b ON b.key = a.key "
    "CROSS JOIN idempotency i ON i.owner = a.value AND i.operation = $2 AND i.key = b.value "
    "CROSS JOIN reservation r ON r.id = i.result ORDER BY r.id, r.sku",
};

const Statement claim_keys{
    "inventory.many.claim_keys",
    "INSERT INTO inventory.idempotency (owner, operation, key, fingerprint, result, created_at) "
    "SELECT owner, $2, key, fingerprint, result, transaction_time() "
    "FROM unnest($1::text[], $3::text[], $4::text[], $5::text[]) "
    "AS k (owner, key, fingerprint, result) ORDER BY owner COLLATE \"C\", key COLLATE \"C\"",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($4)), "
    "d AS MATERIALIZED (SELECT key, value FROM json_each($5)) "
    "INSERT INTO idempotency (owner, operation, key, fingerprint, result, created_at) "
    "SELECT a.value, $2, b.value, c.value, d.value, transaction_time() FROM a "
    "JOIN b ON b.key = a.key JOIN c ON c.key = a.key JOIN d ON d.key = a.key",
};

const Statement append_ledger{
    "inventory.many.append_ledger",
    "INSERT INTO inventory.ledger (sku, reservation, key, kind, quantity, at) "
    "SELECT sku, reservation, key, kind, quantity, transaction_time() "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) "
    "WITH ORDINALITY AS l (sku, reservation, key, kind, quantity, position) ORDER BY position",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "d AS MATERIALIZED (SELECT key, value FROM json_each($4)), "
    "e AS MATERIALIZED (SELECT key, value FROM json_each($5)) "
    "INSERT INTO ledger (sku, reservation, key, kind, quantity, at) "
    "SELECT a.value, b.value, c.value, d.value, e.value, transaction_time() FROM a "
    "JOIN b ON b.key = a.key JOIN c ON c.key = a.key JOIN d ON d.key = a.key "
    "JOIN e ON e.key = a.key ORDER BY a.key",
};

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> list{
        &lock_stock,         &change_held, &lock_due,   &expire_reservation,
        &insert_reservation, &find_keys,   &claim_keys, &append_ledger,
    };
    return list;
}

}  // namespace rushproof::inventory::statements::many
