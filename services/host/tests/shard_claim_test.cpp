// Goal: a database is one shard of one map for ever, and says so to whoever takes it for another.
// Method: a SQLite file with the real migrations.
#include "services/host/shard_claim.hpp"

#include <gtest/gtest.h>

#include "core/real/sqlite/tests/fixture.hpp"
#include "services/inventory/inventory.hpp"

namespace rushproof {
namespace {

class ShardClaim : public testing::Test {
protected:
    ShardClaim() {
        SqliteOptions options;
        options.path = directory_.file("shard.db");
        database_ = SqliteDatabase::open(options).value();
        EXPECT_TRUE(database_->apply("inventory", inventory::migrations()));
    }
    void migrate() { EXPECT_TRUE(database_->apply("shard", shard_migrations())); }
    std::string claim(Shard shard) {
        const auto claimed =
            sqlite::wait(claim_shard(*database_, sqlite::context_for(sqlite::long_time), shard));
        return claimed ? "ok" : std::string(claimed.error().code());
    }

    sqlite::TemporaryDirectory directory_;
    std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(ShardClaim, TheFirstDecides) {
    migrate();
    EXPECT_EQ(claim({2, 3}), "ok");
    EXPECT_EQ(claim({2, 3}), "ok");
    EXPECT_EQ(claim({1, 3}), "wrong-shard");
    EXPECT_EQ(claim({2, 4}), "wrong-shard");
    EXPECT_EQ(claim({1, 1}), "wrong-shard");
}

TEST_F(ShardClaim, WhatWasFilledBeforeThereWereShardsIsTheOnlyOne) {
    const Statement fill{"test.fill",
                         "INSERT INTO stock (sku, on_hand, held, sold, version) "
                         "VALUES ('SKU-1', 1, 0, 0, 1)",
                         {}};
    ASSERT_TRUE(sqlite::once(*database_, Call(fill, {})));
    migrate();
    EXPECT_EQ(claim({1, 2}), "wrong-shard");
    EXPECT_EQ(claim({1, 1}), "ok");
}

}  // namespace
}  // namespace rushproof
