#include "core/real/postgres/migrations.hpp"

#include <pqxx/pqxx>

#include "core/base/assert.hpp"

namespace rushproof {

namespace {

// Any number that nobody else uses; the same for all schemas, for they share the table.
constexpr const char* take_turns = "SELECT pg_advisory_lock(7823016445)";
constexpr const char* create_table =
    "CREATE TABLE IF NOT EXISTS schema_migration("
    "schema text NOT NULL, version bigint NOT NULL, name text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY(schema, version))";

std::int64_t newest_version(pqxx::connection& connection, const std::string& schema) {
    pqxx::work work(connection);
    return work
        .exec_params1("SELECT coalesce(max(version), 0) FROM schema_migration WHERE schema = $1",
                      schema)[0]
        .as<std::int64_t>();
}

void apply(pqxx::connection& connection, const std::string& schema, const Migration& migration) {
    pqxx::work work(connection);
    work.exec(std::string(migration.sql), std::string(migration.name));
    work.exec_params0("INSERT INTO schema_migration(schema, version, name) VALUES ($1, $2, $3)",
                      schema, migration.version, std::string(migration.name));
    work.commit();
}

Result<void> migrate(pqxx::connection& connection, const std::string& schema,
                     const std::vector<Migration>& migrations) {
    pqxx::nontransaction(connection).exec(take_turns);  // until the connection closes
    pqxx::nontransaction(connection).exec("SET client_min_messages = warning");
    pqxx::nontransaction(connection).exec(create_table);
    const std::int64_t newest = newest_version(connection, schema);
    const std::int64_t known = migrations.empty() ? 0 : migrations.back().version;
    if (newest > known) {
        return failure(ErrorKind::permanent, "schema-newer",
                       "schema " + schema + " in the database is at version " +
                           std::to_string(newest) + ", this program knows " +
                           std::to_string(known) + "; use a newer program, or another database");
    }
    std::int64_t before = 0;
    for (const Migration& migration : migrations) {
        RP_ASSERT(migration.version > before);
        before = migration.version;
        if (migration.version <= newest) { continue; }
        try {
            apply(connection, schema, migration);
        } catch (const pqxx::sql_error& error) {
            return failure(ErrorKind::permanent, "statement-failed",
                           std::string(migration.name) + ": " + error.what());
        }
    }
    return {};
}

}  // namespace

Result<void> migrate_postgres(const std::string& url, std::string_view schema,
                              const std::vector<Migration>& migrations) {
    try {
        pqxx::connection connection(url);
        return migrate(connection, std::string(schema), migrations);
    } catch (const pqxx::broken_connection& error) {
        return failure(ErrorKind::retryable, "unavailable", error.what());
    } catch (const pqxx::sql_error& error) {
        return failure(ErrorKind::permanent, "statement-failed", error.what());
    }
}

Result<void> check_postgres_log(const std::string& url) {
    try {
        pqxx::connection connection(url);
        pqxx::nontransaction work(connection);
        const pqxx::row found = work.exec1(
            "SELECT current_setting('wal_level'), rolname, rolreplication OR rolsuper "
            "FROM pg_roles WHERE rolname = current_user");
        const auto level = found[0].as<std::string>();
        const auto role = found[1].as<std::string>();
        if (level != "logical") {
            return failure(ErrorKind::permanent, "no-log",
                           "PostgreSQL has wal_level " + level +
                               ", and its log tells of events only at logical: set wal_level = "
                               "logical in postgresql.conf and restart it, or use --events-by "
                               "polling");
        }
        if (!found[2].as<bool>()) {
            return failure(ErrorKind::permanent, "no-log",
                           "role " + role + " may not read PostgreSQL's log: ALTER ROLE " + role +
                               " REPLICATION as superuser, or use --events-by polling");
        }
        return {};
    } catch (const pqxx::broken_connection& error) {
        return failure(ErrorKind::retryable, "unavailable", error.what());
    } catch (const pqxx::sql_error& error) {
        return failure(ErrorKind::permanent, "statement-failed", error.what());
    }
}

}  // namespace rushproof
