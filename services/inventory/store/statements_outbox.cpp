#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory::statements::outbox {

const OutboxSql& sql() {
    static const OutboxSql sql({"inventory", "inventory.", ""});
    return sql;
}

const Statement& append = sql().append;
const Statement& read_lane = sql().read_lane;
const Statement& remove = sql().remove;

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
    "UPDATE feed SET on_hand = feed.on_hand + n.on_hand, held = feed.held + n.held, "
    "sold = feed.sold + n.sold, "
    "first = n.first, last = n.last, "
    "disorder = disorder + CASE WHEN n.first <= feed.last THEN 1 ELSE 0 END "
    "FROM (SELECT value AS sku, $2 ->> key AS on_hand, $3 ->> key AS held, $4 ->> key AS sold, "
    "$5 ->> key AS first, $6 ->> key AS last FROM json_each($1)) AS n "
    "WHERE feed.sku = n.sku",
};

namespace {

std::vector<const Statement*> list() {
    std::vector<const Statement*> list = sql().all();
    list.insert(list.end(), {&receive, &forget, &open_feed, &add_to_feed});
    return list;
}

}  // namespace

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> statements = list();
    return statements;
}

OutboxStatements for_relay() { return sql().for_relay(); }

}  // namespace rushproof::inventory::statements::outbox
