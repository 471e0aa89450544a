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

TEST(Uuid, OfATimeSortsByIt) {
    FakeWorld world;
    // RFC 9562, A.6: 2022-02-22T19:22:22Z
    WallTime now(std::chrono::milliseconds(0x017F'22E2'79B0));
    const std::regex form("017f22e2-79b0-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    const std::string first = uuid_comb(now, world);
    EXPECT_TRUE(std::regex_match(first, form)) << first;
    EXPECT_NE(uuid_comb(now, world), first);
    std::string last = first;
    for (int i = 0; i < 2000; ++i) {
        now += std::chrono::microseconds(1);
        std::string next = uuid_comb(now, world);
        EXPECT_LT(last, next);
        last = std::move(next);
    }
    EXPECT_TRUE(last.starts_with("017f22e2-79b2-4")) << last;
}

TEST(Uuid, OfATimeBeforeTheEpochIsOneAllTheSame) {
    FakeWorld world;
    const std::string uuid = uuid_comb(WallTime(std::chrono::microseconds(-1)), world);
    EXPECT_TRUE(uuid.starts_with("ffffffff-ffff-4ffb-")) << uuid;
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
