// Goal: UUIDs and times have their standard form.  Method: patterns and known values.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/runtime/rfc3339.hpp"
#include "core/runtime/tests/fake_world.hpp"
#include "core/runtime/uuid.hpp"

namespace rushproof {
namespace {

TEST(Uuid, IsVersionFour) {
    FakeWorld world;
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string uuid = uuid_v4(world);
        EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
        EXPECT_TRUE(seen.insert(uuid).second);
    }
}

TEST(Uuid, OfNamesIsTheSameForTheSameNamesOnly) {
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    const std::string uuid = uuid_of("ab", "c");
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    EXPECT_EQ(uuid_of("ab", "c"), uuid);
    EXPECT_NE(uuid_of("a", "bc"), uuid);
    EXPECT_NE(uuid_of("ab", "d"), uuid);
}

TEST(Rfc3339, WritesUtcWithMicroseconds) {
    using std::chrono::microseconds;
    EXPECT_EQ(to_rfc3339(WallTime(microseconds(0))), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(to_rfc3339(WallTime(microseconds(1'709'210'096'789'012))),
              "2024-02-29T12:34:56.789012Z");
    EXPECT_EQ(to_rfc3339(WallTime(microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace rushproof
