// Goal: every statement that inventory may ask a PostgreSQL is one that its own tables understand.
// Method: the migrations on a real server, then the server's own parser and types, as the driver
// asks it to prepare them (SQL's PREPARE does not know LOCK TABLE).
#include <gtest/gtest.h>

#include <cstdlib>
#include <pqxx/pqxx>

#include "core/real/postgres/migrations.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof {
namespace {

TEST(PostgresStatements, FitTheTables) {
    const char* url = std::getenv("RUSHPROOF_POSTGRES_URL");
    ASSERT_NE(url, nullptr) << "run this by ctest, or by infra/stack/stack run postgres";
    const auto migrated = migrate_postgres(url, "inventory", inventory::migrations());
    ASSERT_TRUE(migrated) << migrated.error().message();
    pqxx::connection connection(url);
    for (const Statement* statement : inventory::statements::all()) {
        const std::string sql(statement->sql);
        EXPECT_NO_THROW(connection.prepare(std::string(statement->name), sql)) << sql;
    }
}

}  // namespace
}  // namespace rushproof
