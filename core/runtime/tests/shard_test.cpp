// Goal: everybody agrees for ever which shard keeps what, and identifiers say who gave them out.
#include "core/runtime/shard.hpp"
#include "core/base/hash.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/runtime/tests/fake_world.hpp"

namespace rushproof {
namespace {

TEST(ShardTest, IsWrittenAsNumberOfCount) {
    EXPECT_EQ(parse_shard("2/3"), (Shard{2, 3}));
    EXPECT_EQ(to_string(Shard{2, 3}), "2/3");
    EXPECT_EQ(parse_shard("1/64"), (Shard{1, 64}));
    for (const char* wrong : {"", "2", "0/2", "3/2", "1/65", "1/", "/2", "1/2x", "-1/2", "1/2/3"}) {
        EXPECT_FALSE(parse_shard(wrong)) << wrong;
    }
}

// Another mapping would look for what is stored in the wrong database.
TEST(ShardTest, KeysStayWhereTheyAre) {
    EXPECT_EQ(shard_of_key("SKU-1", 1), 1U);
    std::string places;
    for (int i = 0; i < 16; ++i) {
        places += std::to_string(shard_of_key("SKU-" + std::to_string(i), 2));
    }
    EXPECT_EQ(places, "1111212112122222");
}

TEST(ShardTest, KeysAreSpreadEvenly) {
    std::map<std::uint32_t, int> keys;
    for (int i = 0; i < 3000; ++i) { ++keys[shard_of_key("SKU-" + std::to_string(i), 3)]; }
    ASSERT_EQ(keys.size(), 3U);
    for (const auto& [number, count] : keys) { EXPECT_NEAR(count, 1000, 150) << number; }
}

TEST(ShardTest, IdentifiersTellTheirShard) {
    FakeWorld world;
    const std::string of_third = new_uuid({3, 40}, world);
    EXPECT_EQ(of_third.size(), 36U);
    EXPECT_EQ(of_third[14], '8');
    EXPECT_EQ(shard_of_uuid(of_third, 40), 3U);
    EXPECT_EQ(shard_of_uuid(of_third, 2), 0U);
    EXPECT_EQ(shard_of_uuid(new_uuid({40, 40}, world), 40), 40U);
    const std::string of_only = new_uuid({1, 1}, world);
    EXPECT_EQ(of_only[14], '4');
    EXPECT_EQ(shard_of_uuid(of_only, 1), 1U);
    EXPECT_EQ(shard_of_uuid("short", 2), 0U);
    EXPECT_EQ(shard_of_uuid("xxxxxxxx-xxxx-8xxx-8xxx-xxxxxxxxxxxx", 2), 0U);
}

TEST(InstanceProbe, PicksEachInstance) {
    for (std::uint32_t count = 1; count <= 16; ++count) {
        for (std::uint32_t index = 0; index < count; ++index) {
            EXPECT_EQ(hash64(instance_probe(index, count)) % count, index);
        }
    }
}

}  // namespace
}  // namespace rushproof
