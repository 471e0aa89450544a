#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory::statements::outbox {

const Statement append{
    "inventory.outbox.append",
    "INSERT INTO inventory.outbox (id, lane, aggregate, kind, body, created_at) "
    "SELECT id, lane, aggregate, kind, body, transaction_time() "
    "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[]) "
    "WITH ORDINALITY AS e (id, lane, aggregate, kind, body, position) ORDER BY position",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "d AS MATERIALIZED (SELECT key, value FROM json_each($4)), "
    "e AS MATERIALIZED (SELECT key, value FROM json_each($5)) "
    "INSERT INTO outbox (id, lane, aggregate, kind, body, created_at) "
    "SELECT a.value, b.value, c.value, d.value, e.value, transaction_time() FROM a "
    "JOIN b ON b.key = a.key JOIN c ON c.key = a.key JOIN d ON d.key = a.key "
    "JOIN e ON e.key = a.key ORDER BY a.key",
};

const Statement create_lanes{
    "inventory.outbox.create_lanes",
    "INSERT INTO inventory.outbox_lane (lane, claim, claimed_until) "
    "SELECT lane, '', to_timestamp(0) FROM unnest($1::bigint[]) AS l (lane) "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO outbox_lane (lane, claim, claimed_until) "
    "SELECT value, '', 0 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
};

const Statement backlog{
    "inventory.outbox.backlog",
    "SELECT count(*) FROM (SELECT 1 FROM inventory.outbox LIMIT 100000) AS e",
    "SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 100000)",
};

const Statement claim_lane{
    "inventory.outbox.claim_lane",
    "UPDATE inventory.outbox_lane "
    "SET claim = $1, claimed_until = transaction_time() + $2::bigint * interval '1 microsecond' "
    "WHERE lane = (SELECT l.lane FROM inventory.outbox_lane l "
    "WHERE l.claimed_until <= transaction_time() "
    "AND EXISTS (SELECT 1 FROM inventory.outbox e WHERE e.lane = l.lane) "
    "ORDER BY l.lane < $3, l.lane LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING lane",
    "UPDATE outbox_lane SET claim = $1, claimed_until = transaction_time() + $2 "
    "WHERE lane = (SELECT l.lane FROM outbox_lane l WHERE l.claimed_until <= transaction_time() "
    "AND EXISTS (SELECT 1 FROM outbox e WHERE e.lane = l.lane) "
    "ORDER BY l.lane < $3, l.lane LIMIT 1) RETURNING lane",
};

const Statement read_lane{
    "inventory.outbox.read_lane",
    "SELECT number, id, aggregate, kind, body, "
    "(extract(epoch FROM transaction_time() - created_at) * 1000000)::bigint "
    "FROM inventory.outbox WHERE lane = $1 ORDER BY number LIMIT $2",
    "SELECT number, id, aggregate, kind, body, transaction_time() - created_at "
    "FROM outbox WHERE lane = $1 ORDER BY number LIMIT $2",
};

const Statement remove{
    "inventory.outbox.remove",
    "DELETE FROM inventory.outbox WHERE number = ANY($1::bigint[])",
    "DELETE FROM outbox WHERE number IN (SELECT value FROM json_each($1))",
};

const Statement release_lane{
    "inventory.outbox.release_lane",
    "UPDATE inventory.outbox_lane SET claimed_until = to_timestamp(0) "
    "WHERE lane = $1 AND claim = $2",
    "UPDATE outbox_lane SET claimed_until = 0 WHERE lane = $1 AND claim = $2",
};

const Statement receive{
    "inventory.outbox.receive",
    "INSERT INTO inventory.inbox (id, received_at) "
    "SELECT id, transaction_time() FROM unnest($1::text[]) AS e (id) ORDER BY id COLLATE \"C\" "
    "ON CONFLICT DO NOTHING RETURNING id",
    "INSERT INTO inbox (id, received_at) SELECT value, transaction_time() FROM json_each($1) "
    "WHERE true ON CONFLICT DO NOTHING RETURNING id",
};

const Statement forget{
    "inventory.outbox.forget",
    "DELETE FROM inventory.inbox "
    "WHERE received_at < transaction_time() - $1::bigint * interval '1 microsecond'",
    "DELETE FROM inbox WHERE received_at < transaction_time() - $1",
};

const Statement open_feed{
    "inventory.outbox.open_feed",
    "INSERT INTO inventory.feed (sku, on_hand, held, sold, first, last, disorder) "
    "SELECT sku, 0, 0, 0, 0, 0, 0 FROM unnest($1::text[]) AS c (sku) ORDER BY sku COLLATE \"C\" "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO feed (sku, on_hand, held, sold, first, last, disorder) "
    "SELECT value, 0, 0, 0, 0, 0, 0 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
};

const Statement add_to_feed{
    "inventory.outbox.add_to_feed",
    "UPDATE inventory.feed f SET on_hand = f.on_hand + c.on_hand, held = f.held + c.held, "
    "sold = f.sold + c.sold, first = c.first, last = c.last, "
    "disorder = f.disorder + CASE WHEN c.first <= f.last THEN 1 ELSE 0 END "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
    "AS c (sku, on_hand, held, sold, first, last) WHERE f.sku = c.sku",
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "d AS MATERIALIZED (SELECT key, value FROM json_each($4)), "
    "g AS MATERIALIZED (SELECT key, value FROM json_each($5)), "
    "h AS MATERIALIZED (SELECT key, value FROM json_each($6)) "
    "UPDATE feed SET on_hand = feed.on_hand + n.on_hand, held = feed.held + n.held, "
    "sold = feed.sold + n.sold, "
    "first = n.first, last = n.last, "
    "disorder = disorder + CASE WHEN n.first <= feed.last THEN 1 ELSE 0 END "
    "FROM (SELECT a.value AS sku, b.value AS on_hand, c.value AS held, d.value AS sold, "
    "g.value AS first, h.value AS last FROM a JOIN b ON b.key = a.key JOIN c ON c.key = a.key "
    "JOIN d ON d.key = a.key JOIN g ON g.key = a.key JOIN h ON h.key = a.key) AS n "
    "WHERE feed.sku = n.sku",
};

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> list{
        &append,       &create_lanes, &backlog, &claim_lane, &read_lane,   &remove,
        &release_lane, &receive,      &forget,  &open_feed,  &add_to_feed,
    };
    return list;
}

OutboxStatements for_relay() {
    return {create_lanes, backlog, claim_lane, read_lane, remove, release_lane};
}

}  // namespace rushproof::inventory::statements::outbox
