// Goal: every statement that a role may ask a PostgreSQL is one that the role's own tables
// understand.  Method: the migrations on a real server, then the server's own parser and types, as
// the driver asks it to prepare them (SQL's PREPARE does not know LOCK TABLE).
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <pqxx/pqxx>

#include "core/real/postgres/migrations.hpp"
#include "core/real/postgres/postgres_database.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "services/catalog/catalog.hpp"
#include "services/catalog/store/statements.hpp"
#include "services/host/shard_claim.hpp"
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

TEST(PostgresShards, TheFirstClaimDecides) {
    const char* url = std::getenv("RUSHPROOF_POSTGRES_URL");
    ASSERT_NE(url, nullptr) << "run this by ctest, or by infra/stack/stack run postgres";
    ASSERT_TRUE(migrate_postgres(url, "inventory", inventory::migrations()));
    const auto migrated = migrate_postgres(url, "shard", shard_migrations());
    ASSERT_TRUE(migrated) << migrated.error().message();
    const auto claim = [url](Shard shard) {
        asio::io_context context(1);
        RealTelemetry telemetry(LogLevel::error);
        PostgresOptions options;
        options.url = url;
        const auto database =
            PostgresDatabase::create(context.get_executor(), options, telemetry).value();
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const Context within(MonotonicTime(now + std::chrono::seconds(20)));
        std::string answer;
        asio::co_spawn(context, claim_shard(*database, within, shard),
                       [&](const std::exception_ptr&, const Result<void>& claimed) {
                           answer = claimed ? "ok" : std::string(claimed.error().code());
                       });
        context.run();
        return answer;
    };
    EXPECT_EQ(claim({2, 3}), "ok");
    EXPECT_EQ(claim({2, 3}), "ok");
    EXPECT_EQ(claim({1, 3}), "wrong-shard");
}

}  // namespace
}  // namespace rushproof
