// Goal: a role's migrations are applied once, in order, each as a whole, also when several
// processes start at once. Method: a schema of two steps, applied again, by many threads, with a
// step that fails, and by an older program.
#include "core/real/postgres/migrations.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "core/real/postgres/tests/fixture.hpp"

namespace rushproof::postgres {
namespace {

const Migration create{1, "shop.create", "CREATE TABLE shelf(place bigint); SELECT pg_sleep(0.05)",
                       ""};
const Migration fill{2, "shop.fill", "INSERT INTO shelf VALUES (1), (2)", ""};
const Migration broken{3, "shop.broken", "INSERT INTO shelf VALUES (3); SELEKT", ""};

class MigrationsTest : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        administer("DROP TABLE IF EXISTS shelf, schema_migration");
    }
    static std::int64_t places() {
        return administer("SELECT count(*) FROM shelf")[0][0].as<std::int64_t>();
    }
};

TEST_F(MigrationsTest, AreAppliedOnce) {
    for (int round = 0; round < 2; ++round) {
        const auto done = migrate_postgres(options_.url, "shop", {create, fill});
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_EQ(places(), 2);
    }
}

TEST_F(MigrationsTest, ManyProcessesMayStartAtOnce) {
    std::vector<Result<void>> results(6);
    std::vector<std::thread> threads;
    threads.reserve(results.size());
    for (auto& result : results) {
        threads.emplace_back(
            [&] { result = migrate_postgres(options_.url, "shop", {create, fill}); });
    }
    for (std::thread& thread : threads) { thread.join(); }
    for (const auto& result : results) { EXPECT_TRUE(result); }
    EXPECT_EQ(places(), 2);
}

TEST_F(MigrationsTest, AStepThatFailsLeavesNothingOfItself) {
    const auto failed = migrate_postgres(options_.url, "shop", {create, fill, broken});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), "statement-failed");
    EXPECT_NE(failed.error().message().find("shop.broken"), std::string::npos);
    EXPECT_EQ(places(), 2);
}

TEST_F(MigrationsTest, AnOlderProgramRefuses) {
    ASSERT_TRUE(migrate_postgres(options_.url, "shop", {create, fill}));
    const auto refused = migrate_postgres(options_.url, "shop", {create});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "schema-newer");
    EXPECT_EQ(refused.error().kind(), ErrorKind::permanent);
}

TEST_F(MigrationsTest, AnAbsentServerIsUnavailable) {
    const auto refused =
        migrate_postgres("postgresql://nobody@127.0.0.1:1/nothing", "shop", {create});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "unavailable");
}

}  // namespace
}  // namespace rushproof::postgres
