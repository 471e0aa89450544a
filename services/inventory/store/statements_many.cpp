#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory::statements::many {

// SQLite has no arrays: json_each gives the elements of one, and ->> what stands at the same place
// of another.  For the single row of most requests that takes a third of what joins take.

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
    "UPDATE stock SET held = held + c.change, version = version + 1 "
    "FROM (SELECT value AS sku, $2 ->> key AS change FROM json_each($1)) AS c "
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
    "INSERT INTO reservation "
    "(id, sku, quantity, owner, key, state, expires_at, created_at, lines) "
    "SELECT value, $2 ->> key, $3 ->> key, $4 ->> key, $5 ->> key, 'held', "
    "transaction_time() + $7, transaction_time(), $6 ->> key FROM json_each($1) WHERE true "
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
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "r.expires_at - r.created_at FROM json_each($1) k "
    "CROSS JOIN idempotency i ON i.owner = k.value AND i.operation = $2 AND i.key = $3 ->> k.key "
    "CROSS JOIN reservation r ON r.id = i.result ORDER BY r.id, r.sku",
};

const Statement claim_keys{
    "inventory.many.claim_keys",
    "INSERT INTO inventory.idempotency (owner, operation, key, fingerprint, result, created_at) "
    "SELECT owner, $2, key, fingerprint, result, transaction_time() "
    "FROM unnest($1::text[], $3::text[], $4::text[], $5::text[]) "
    "AS k (owner, key, fingerprint, result) ORDER BY owner COLLATE \"C\", key COLLATE \"C\"",
    "INSERT INTO idempotency (owner, operation, key, fingerprint, result, created_at) "
    "SELECT value, $2, $3 ->> key, $4 ->> key, $5 ->> key, transaction_time() FROM json_each($1)",
};

const Statement append_ledger{
    "inventory.many.append_ledger",
    "INSERT INTO inventory.ledger (sku, reservation, key, kind, quantity, at) "
    "SELECT sku, reservation, key, kind, quantity, transaction_time() "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) "
    "WITH ORDINALITY AS l (sku, reservation, key, kind, quantity, position) ORDER BY position",
    "INSERT INTO ledger (sku, reservation, key, kind, quantity, at) "
    "SELECT value, $2 ->> key, $3 ->> key, $4 ->> key, $5 ->> key, transaction_time() "
    "FROM json_each($1) ORDER BY key",
};

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> list{
        &lock_stock,         &change_held, &lock_due,   &expire_reservation,
        &insert_reservation, &find_keys,   &claim_keys, &append_ledger,
    };
    return list;
}

}  // namespace rushproof::inventory::statements::many
