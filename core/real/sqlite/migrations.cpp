#include "core/real/sqlite/migrations.hpp"

#include "core/base/assert.hpp"

namespace rushproof::sqlite {

namespace {

constexpr std::string_view create_table =
    "CREATE TABLE IF NOT EXISTS schema_migration("
    "schema TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, "
    "applied_at TIMESTAMP NOT NULL, PRIMARY KEY(schema, version)) WITHOUT ROWID";

const Statement newest_version{
    "schema_migration.newest_version",
    "SELECT coalesce(max(version), 0) FROM schema_migration WHERE schema = $1", ""};

const Statement record_version{
    "schema_migration.record_version",
    "INSERT INTO schema_migration VALUES ($1, $2, $3, transaction_time())", ""};

Result<std::int64_t> read_newest(Connection& connection, const std::string& schema) {
    RP_CHECK(connection.begin());
    RP_TRY(const auto results, connection.commit({Call(newest_version, {schema})}));
    return integer(results[0].rows.at(0), 0);
}

}  // namespace

Result<void> migrate(Connection& connection, std::string_view schema_name,
                     const std::vector<Migration>& migrations) {
    const std::string schema(schema_name);
    RP_CHECK(connection.script("schema_migration.create", create_table));
    RP_TRY(const std::int64_t newest, read_newest(connection, schema));
    const std::int64_t known = migrations.empty() ? 0 : migrations.back().version;
    if (newest > known) {
        return failure(ErrorKind::permanent, "schema-newer",
                       "schema " + schema + " in the file is at version " + std::to_string(newest) +
                           ", this program knows " + std::to_string(known) +
                           "; use a newer program, or another file");
    }
    std::int64_t before = 0;
    for (const Migration& migration : migrations) {
        RP_ASSERT(migration.version > before);
        before = migration.version;
        if (migration.version <= newest) continue;
        RP_CHECK(connection.begin());
        const auto sql = migration.sqlite.empty() ? migration.sql : migration.sqlite;
        RP_CHECK(connection.script(migration.name, sql));
        const Row row{schema, migration.version, std::string(migration.name)};
        RP_CHECK(connection.commit({Call(record_version, row)}));
    }
    return {};
}

}  // namespace rushproof::sqlite
