// Goal: every statement that a role may ask a PostgreSQL is one that the role's own tables
// understand.  Method: the migrations on a real server, then the server's own parser and types, as
// the driver asks it to prepare them (SQL's PREPARE does not know LOCK TABLE).
#include <gtest/gtest.h>

#include <cstdlib>
#include <pqxx/pqxx>

#include "core/real/postgres/migrations.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/store/statements.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof {
namespace {

void expect_fit(const std::string& role, const std::vector<Migration>& migrations,
                const std::vector<const Statement*>& statements) {
    const char* url = std::getenv("RUSHPROOF_POSTGRES_URL");
    ASSERT_NE(url, nullptr) << "run this by ctest, or by infra/stack/stack run postgres";
    const auto migrated = migrate_postgres(url, role, migrations);
    ASSERT_TRUE(migrated) << migrated.error().message();
    pqxx::connection connection(url);
    for (const Statement* statement : statements) {
        const std::string sql(statement->sql);
        EXPECT_NO_THROW(connection.prepare(std::string(statement->name), sql)) << sql;
    }
}

TEST(PostgresStatements, OfCatalogFitItsTables) {
    expect_fit("catalog", catalog::migrations(), catalog::statements::all());
}

TEST(PostgresStatements, OfInventoryFitItsTables) {
    expect_fit("inventory", inventory::migrations(), inventory::statements::all());
}

}  // namespace
}  // namespace rushproof
