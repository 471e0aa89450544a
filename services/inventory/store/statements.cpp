#include "services/inventory/store/statements.hpp"

#include "services/inventory/store/statements_many.hpp"
#include "services/inventory/store/statements_mutant.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory::statements {

// PostgreSQL first, then SQLite, where a writer holds the whole database and needs no row locks.
// Times are timestamptz there and integer microseconds since 1970 here.

const Statement read_stock{
    "inventory.read_stock",
    "SELECT on_hand, held, sold, version FROM inventory.stock WHERE sku = $1",
    "SELECT on_hand, held, sold, version FROM stock WHERE sku = $1",
};

const Statement lock_stock{
    "inventory.lock_stock",
    "SELECT on_hand, held, sold, version FROM inventory.stock WHERE sku = $1 FOR UPDATE",
    "SELECT on_hand, held, sold, version FROM stock WHERE sku = $1",
};

const Statement create_stock{
    "inventory.create_stock",
    "INSERT INTO inventory.stock (sku, on_hand, held, sold, version) VALUES ($1, 0, 0, 0, 0) "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO stock (sku, on_hand, held, sold, version) VALUES ($1, 0, 0, 0, 0) "
    "ON CONFLICT DO NOTHING",
};

const Statement take_stock{
    "inventory.take_stock",
    "UPDATE inventory.stock SET held = held + $2, version = version + 1 "
    "WHERE sku = $1 AND on_hand - held >= $2 RETURNING on_hand, held, sold, version",
    "UPDATE stock SET held = held + $2, version = version + 1 "
    "WHERE sku = $1 AND on_hand - held >= $2 RETURNING on_hand, held, sold, version",
};

const Statement change_held{
    "inventory.change_held",
    "UPDATE inventory.stock SET held = held + $2, version = version + 1 WHERE sku = $1",
    "UPDATE stock SET held = held + $2, version = version + 1 WHERE sku = $1",
};

const Statement change_held_at{
    "inventory.change_held_at",
    "UPDATE inventory.stock SET held = held + $2, version = version + 1 "
    "WHERE sku = $1 AND version = $3",
    "UPDATE stock SET held = held + $2, version = version + 1 WHERE sku = $1 AND version = $3",
};

const Statement write_held{
    "inventory.write_held",
    "UPDATE inventory.stock SET held = $2, version = version + 1 WHERE sku = $1",
    "UPDATE stock SET held = $2, version = version + 1 WHERE sku = $1",
};

const Statement sell_stock{
    "inventory.sell_stock",
    "UPDATE inventory.stock SET on_hand = on_hand - $2, held = held - $2, sold = sold + $2, "
    "version = version + 1 WHERE sku = $1",
    "UPDATE stock SET on_hand = on_hand - $2, held = held - $2, sold = sold + $2, "
    "version = version + 1 WHERE sku = $1",
};

const Statement set_on_hand{
    "inventory.set_on_hand",
    "UPDATE inventory.stock SET on_hand = $2, version = version + 1 WHERE sku = $1",
    "UPDATE stock SET on_hand = $2, version = version + 1 WHERE sku = $1",
};

const Statement lock_key{
    "inventory.lock_key",
    "SELECT 1::bigint FROM pg_advisory_xact_lock($1::bigint)",
    "SELECT 1 WHERE $1 IS NOT NULL",
};

// EXCLUSIVE is the weakest mode that keeps SELECT ... FOR UPDATE out, too.
const Statement lock_table{
    "inventory.lock_table",
    "LOCK TABLE inventory.stock IN EXCLUSIVE MODE",
    "SELECT 1",
};

const Statement limit_lock_wait{
    "inventory.limit_lock_wait",
    "SELECT 1::bigint FROM set_config('lock_timeout', $1::bigint::text, true)",
    "SELECT 1 WHERE $1 IS NOT NULL",
};

const Statement find_reservation{
    "inventory.find_reservation",
    "SELECT id, sku, quantity, owner, key, state, expires_at, "
    "(extract(epoch FROM expires_at - transaction_time()) * 1000000)::bigint "
    "FROM inventory.reservation WHERE id = $1 ORDER BY sku COLLATE \"C\"",
    "SELECT id, sku, quantity, owner, key, state, expires_at, expires_at - transaction_time() "
    "FROM reservation WHERE id = $1 ORDER BY sku",
};

const Statement lock_reservation{
    "inventory.lock_reservation",
    "SELECT id, sku, quantity, owner, key, state, expires_at, "
    "(extract(epoch FROM expires_at - transaction_time()) * 1000000)::bigint "
    "FROM inventory.reservation WHERE id = $1 ORDER BY sku COLLATE \"C\" FOR UPDATE",
    "SELECT id, sku, quantity, owner, key, state, expires_at, expires_at - transaction_time() "
    "FROM reservation WHERE id = $1 ORDER BY sku",
};

const Statement confirm_reservation{
    "inventory.confirm_reservation",
    "UPDATE inventory.reservation SET state = 'confirmed' "
    "WHERE id = $1 AND owner = $2 AND state = 'held' AND expires_at > transaction_time() "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, 0::bigint",
    "UPDATE reservation SET state = 'confirmed' "
    "WHERE id = $1 AND owner = $2 AND state = 'held' AND expires_at > transaction_time() "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, 0",
};

const Statement release_reservation{
    "inventory.release_reservation",
    "UPDATE inventory.reservation SET state = 'released' "
    "WHERE id = $1 AND owner = $2 AND state = 'held' "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, 0::bigint",
    "UPDATE reservation SET state = 'released' WHERE id = $1 AND owner = $2 AND state = 'held' "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, 0",
};

const Statement extend_reservation{
    "inventory.extend_reservation",
    "UPDATE inventory.reservation SET expires_at = greatest(expires_at, "
    "least(transaction_time() + $3::bigint * interval '1 microsecond', "
    "created_at + $4::bigint * interval '1 microsecond')) "
    "WHERE id = $1 AND owner = $2 AND state = 'held' AND expires_at > transaction_time() "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, "
    "(extract(epoch FROM expires_at - transaction_time()) * 1000000)::bigint",
    "UPDATE reservation SET expires_at = max(expires_at, min(transaction_time() + $3, "
    "created_at + $4)) "
    "WHERE id = $1 AND owner = $2 AND state = 'held' AND expires_at > transaction_time() "
    "RETURNING id, sku, quantity, owner, key, state, expires_at, expires_at - transaction_time()",
};

const Statement list_reservations{
    "inventory.list_reservations",
    "SELECT id, sku, quantity, owner, key, state, expires_at, "
    "(extract(epoch FROM expires_at - transaction_time()) * 1000000)::bigint "
    "FROM inventory.reservation WHERE owner = $1 AND ($2 = '' OR sku = $2) "
    "AND ($3 = '' OR state = $3) AND (id COLLATE \"C\", sku COLLATE \"C\") > ($4, $5) "
    "ORDER BY id COLLATE \"C\", sku COLLATE \"C\" LIMIT $6",
    "SELECT id, sku, quantity, owner, key, state, expires_at, expires_at - transaction_time() "
    "FROM reservation WHERE owner = $1 AND ($2 = '' OR sku = $2) AND ($3 = '' OR state = $3) "
    "AND (id, sku) > ($4, $5) ORDER BY id, sku LIMIT $6",
};

const Statement list_stock{
    "inventory.list_stock",
    "SELECT sku, on_hand, held, sold, version FROM inventory.stock "
    "WHERE sku COLLATE \"C\" > $1 ORDER BY sku COLLATE \"C\" LIMIT $2",
    "SELECT sku, on_hand, held, sold, version FROM stock WHERE sku > $1 ORDER BY sku LIMIT $2",
};

const Statement lock_due{
    "inventory.lock_due",
    "SELECT id, sku, quantity, key, lines FROM inventory.reservation "
    "WHERE state = 'held' AND expires_at <= transaction_time() "
    "ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
    "SELECT id, sku, quantity, key, lines FROM reservation "
    "WHERE state = 'held' AND expires_at <= transaction_time() ORDER BY id LIMIT $1",
};

const IdempotencySql& keys() {
    static const IdempotencySql keys({"inventory", "inventory.", ""});
    return keys;
}

const Statement& claim_key = keys().claim_key;

const Statement find_key{
    "inventory.find_key",
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "(extract(epoch FROM r.expires_at - r.created_at) * 1000000)::bigint "
    "FROM inventory.idempotency i JOIN inventory.reservation r ON r.id = i.result "
    "WHERE i.owner = $1 AND i.operation = $2 AND i.key = $3 ORDER BY r.sku COLLATE \"C\"",
    "SELECT i.fingerprint, r.id, r.sku, r.quantity, r.owner, r.key, 'held', r.expires_at, "
    "r.expires_at - r.created_at "
    "FROM idempotency i JOIN reservation r ON r.id = i.result "
    "WHERE i.owner = $1 AND i.operation = $2 AND i.key = $3 ORDER BY r.sku",
};

const Statement& find_result = keys().find_result;

const Statement& forget_keys = keys().forget_keys;

const Statement read_ledger{
    "inventory.read_ledger",
    "SELECT number, reservation, key, kind, quantity, at FROM inventory.ledger "
    "WHERE sku = $1 AND number > $2 ORDER BY number LIMIT $3",
    "SELECT number, reservation, key, kind, quantity, at FROM ledger "
    "WHERE sku = $1 AND number > $2 ORDER BY number LIMIT $3",
};

const Statement ping{"inventory.ping", "SELECT 1", ""};

namespace {

std::vector<const Statement*> list() {
    std::vector<const Statement*> list{
        &read_stock,
        &lock_stock,
        &create_stock,
        &take_stock,
        &change_held,
        &change_held_at,
        &write_held,
        &sell_stock,
        &set_on_hand,
        &lock_key,
        &lock_table,
        &limit_lock_wait,
        &find_reservation,
        &lock_reservation,
        &confirm_reservation,
        &release_reservation,
        &extend_reservation,
        &list_reservations,
        &list_stock,
        &find_result,
        &lock_due,
        &claim_key,
        &find_key,
        &forget_keys,
        &read_ledger,
        &ping,
    };
    list.insert(list.end(), many::all().begin(), many::all().end());
    list.insert(list.end(), outbox::all().begin(), outbox::all().end());
    if constexpr (mutants_compiled) {
        for (const Statement* statement : mutants::statements()) { list.push_back(statement); }
    }
    return list;
}

}  // namespace

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> statements = list();
    return statements;
}

}  // namespace rushproof::inventory::statements
