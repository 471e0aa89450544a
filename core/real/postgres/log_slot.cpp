#include "core/real/postgres/log_slot.hpp"

#include <utility>

#include "core/runtime/transactions.hpp"

namespace rushproof::postgres {

namespace {

// Names of slots are the whole server's, so the database is in it.
const Statement look_statement{
    "postgres.look_for_slot",
    "SELECT n.name, CASE WHEN s.slot_name IS NULL THEN 'missing' WHEN s.wal_status = 'lost' "
    "THEN 'lost' WHEN s.active THEN 'read' ELSE 'idle' END, "
    "coalesce(pg_current_wal_lsn() - s.confirmed_flush_lsn, 0)::bigint "
    "FROM (SELECT $1::text || '_' || oid::text AS name FROM pg_database "
    "WHERE datname = current_database()) AS n "
    "LEFT JOIN pg_replication_slots AS s ON s.slot_name = n.name",
    ""};
const Statement make_statement{
    "postgres.make_slot",
    "SELECT slot_name::text FROM pg_create_logical_replication_slot($1, 'pgoutput')", ""};
const Statement drop_statement{"postgres.drop_slot", "SELECT pg_drop_replication_slot($1)::text",
                               ""};

// The log's numbers have 32 bits; those of snapshots have 64, and the same end.
const Statement visible_statement{
    "postgres.are_visible",
    "SELECT count(*) FROM (SELECT pg_current_snapshot() AS snapshot) AS c, "
    "LATERAL (SELECT pg_snapshot_xmax(snapshot)::text::bigint AS next) AS n, "
    "LATERAL (SELECT next / 4294967296 * 4294967296 + t AS t FROM unnest($1::bigint[]) AS t) AS u "
    "WHERE NOT pg_visible_in_snapshot((CASE WHEN t > next + 2147483648 THEN t - 4294967296 "
    "WHEN t < next - 2147483648 THEN t + 4294967296 ELSE t END)::text::xid8, snapshot)",
    ""};

constexpr std::string_view exists_already = "42710";

Task<Result<void>> in_transaction(Database& database, Context context, const Statement& statement,
                                  std::string slot) {
    auto calls = pipeline(Call(statement, {std::move(slot)}));
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context)));
    const auto done = co_await transaction->commit(std::move(calls));
    if (done) { co_return Result<void>(); }
    const Error& error = done.error();
    if (error.message().find(exists_already) == std::string::npos) { co_return failure(error); }
    co_return failure(ErrorKind::retryable, "log-in-use", error.message());
}

}  // namespace

Task<Result<Slot>> find_slot(Database& database, Context context, std::string publication) {
    auto look = pipeline(Call(look_statement, {std::move(publication)}));
    RP_CO_TRY(const auto found, co_await read_only(database, context, std::move(look)));
    const Row& row = found[0].rows.at(0);
    Slot slot{text(row, 0), text(row, 1) == "read", integer(row, 2)};
    const std::string& state = text(row, 1);
    if (state == "lost") {
        // It was too far behind for what the server may keep.  What it missed is in the table.
        RP_CO_CHECK(co_await in_transaction(database, context, drop_statement, slot.name));
    }
    if (state == "lost" || state == "missing") {
        RP_CO_CHECK(
            co_await in_transaction(database, std::move(context), make_statement, slot.name));
    }
    co_return slot;
}

Task<Result<bool>> are_visible(Database& database, Context context,
                               std::vector<std::int64_t> transactions) {
    auto look = pipeline(Call(visible_statement, {std::move(transactions)}));
    RP_CO_TRY(const auto found, co_await read_only(database, std::move(context), std::move(look)));
    co_return integer(found[0].rows.at(0), 0) == 0;
}

}  // namespace rushproof::postgres
