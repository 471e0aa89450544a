#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog::statements {

namespace {

constexpr RoleTables tables{"catalog", "catalog.", "catalog_"};

}  // namespace

const Statement find_product{
    "catalog.find_product",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog.product WHERE id = $1",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog_product WHERE id = $1",
};

const Statement lock_product{
    "catalog.lock_product",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog.product WHERE id = $1 FOR UPDATE",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog_product WHERE id = $1",
};

const Statement list_products{
    "catalog.list_products",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog.product WHERE ($1 = '' OR category = $1) AND id > $2 ORDER BY id LIMIT $3",
    "SELECT id, sku, name, description, category, minor_units, currency, version "
    "FROM catalog_product WHERE ($1 = '' OR category = $1) AND id > $2 ORDER BY id LIMIT $3",
};

const Statement insert_product{
    "catalog.insert_product",
    "INSERT INTO catalog.product "
    "(id, sku, name, description, category, minor_units, currency, version) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    "INSERT INTO catalog_product "
    "(id, sku, name, description, category, minor_units, currency, version) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
};

const Statement update_product{
    "catalog.update_product",
    "UPDATE catalog.product SET name = $2, description = $3, category = $4, minor_units = $5, "
    "currency = $6, version = $7 WHERE id = $1",
    "UPDATE catalog_product SET name = $2, description = $3, category = $4, minor_units = $5, "
    "currency = $6, version = $7 WHERE id = $1",
};

const Statement remove_product{
    "catalog.remove_product",
    "DELETE FROM catalog.product WHERE id = $1",
    "DELETE FROM catalog_product WHERE id = $1",
};

const Statement find_deletion{
    "catalog.find_deletion",
    "SELECT done FROM catalog.deletion WHERE id = $1",
    "SELECT done FROM catalog_deletion WHERE id = $1",
};

const Statement begin_deletion{
    "catalog.begin_deletion",
    "INSERT INTO catalog.deletion (id, done, at) VALUES ($1, 0, transaction_time()) "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO catalog_deletion (id, done, at) VALUES ($1, 0, transaction_time()) "
    "ON CONFLICT DO NOTHING",
};

const Statement undo_deletion{
    "catalog.undo_deletion",
    "DELETE FROM catalog.deletion WHERE id = $1 AND done = 0",
    "DELETE FROM catalog_deletion WHERE id = $1 AND done = 0",
};

const Statement finish_deletion{
    "catalog.finish_deletion",
    "UPDATE catalog.deletion SET done = 1, at = transaction_time() WHERE id = $1",
    "UPDATE catalog_deletion SET done = 1, at = transaction_time() WHERE id = $1",
};

const Statement list_deletions{
    "catalog.list_deletions",
    "SELECT id FROM catalog.deletion WHERE done = 0 "
    "AND at < transaction_time() - $1::bigint * interval '1 microsecond' ORDER BY id LIMIT $2",
    "SELECT id FROM catalog_deletion WHERE done = 0 AND at < transaction_time() - $1 "
    "ORDER BY id LIMIT $2",
};

const Statement forget_deletions{
    "catalog.forget_deletions",
    "DELETE FROM catalog.deletion WHERE done = 1 "
    "AND at < transaction_time() - $1::bigint * interval '1 microsecond'",
    "DELETE FROM catalog_deletion WHERE done = 1 AND at < transaction_time() - $1",
};

const Statement open_feed{
    "catalog.open_feed",
    "INSERT INTO catalog.feed (product, version, kind, gaps, at) "
    "VALUES ($1, 0, '', 0, transaction_time()) ON CONFLICT DO NOTHING",
    "INSERT INTO catalog_feed (product, version, kind, gaps, at) "
    "VALUES ($1, 0, '', 0, transaction_time()) ON CONFLICT DO NOTHING",
};

const Statement take_event{
    "catalog.take_event",
    "UPDATE catalog.feed SET version = $2, kind = $3, "
    "gaps = gaps + CASE WHEN version + 1 = $2 THEN 0 ELSE 1 END, at = transaction_time() "
    "WHERE product = $1 AND version < $2",
    "UPDATE catalog_feed SET version = $2, kind = $3, "
    "gaps = gaps + CASE WHEN version + 1 = $2 THEN 0 ELSE 1 END, at = transaction_time() "
    "WHERE product = $1 AND version < $2",
};

const Statement read_feed{
    "catalog.read_feed",
    "SELECT version, kind, gaps FROM catalog.feed WHERE product = $1",
    "SELECT version, kind, gaps FROM catalog_feed WHERE product = $1",
};

const Statement forget_feed{
    "catalog.forget_feed",
    "DELETE FROM catalog.feed WHERE kind = 'product.deleted' "
    "AND at < transaction_time() - $1::bigint * interval '1 microsecond'",
    "DELETE FROM catalog_feed WHERE kind = 'product.deleted' AND at < transaction_time() - $1",
};

const Statement ping{"catalog.ping", "SELECT 1", ""};

const IdempotencySql& keys() {
    static const IdempotencySql keys(tables);
    return keys;
}

const OutboxSql& outbox() {
    static const OutboxSql outbox(tables);
    return outbox;
}

namespace {

std::vector<const Statement*> list() {
    std::vector<const Statement*> list{
        &find_product,   &lock_product,    &list_products,  &insert_product,
        &update_product, &remove_product,  &find_deletion,  &begin_deletion,
        &undo_deletion,  &finish_deletion, &list_deletions, &forget_deletions,
        &open_feed,      &take_event,      &read_feed,      &forget_feed,
        &ping,
    };
    for (const Statement* statement : keys().all()) { list.push_back(statement); }
    for (const Statement* statement : outbox().all()) { list.push_back(statement); }
    return list;
}

}  // namespace

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> statements = list();
    return statements;
}

}  // namespace rushproof::catalog::statements
