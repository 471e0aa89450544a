// Goal: a position says of each shard how far its log was, survives being joined with others, and
// is refused when nobody can have given it out.  Method: texts.
#include "core/runtime/position.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/ports/context.hpp"

namespace rushproof {
namespace {

constexpr Shard first{1, 2};
constexpr Shard second{2, 2};

LogPosition seen(std::string_view text, Shard shard) {
    return reading_at(text, shard, Route::replica)->seen;
}

TEST(Position, IsReadByItsShard) {
    EXPECT_EQ(position_text(first, 0), "");
    EXPECT_EQ(position_text(second, 0x9f4c), "2:9f4c");
    const LogPosition last = std::numeric_limits<LogPosition>::max();
    EXPECT_EQ(seen(position_text(first, last), first), last);
    EXPECT_EQ(seen("1:9f4c.2:5a0", first), 0x9f4cu);
    EXPECT_EQ(seen("1:9f4c.2:5a0", second), 0x5a0u);
    EXPECT_EQ(seen("1:9f4c", second), 0u);
    EXPECT_EQ(seen("", first), 0u);
}

TEST(Position, SaysWhereToRead) {
    const auto anywhere = reading_at("", first, Route::replica);
    EXPECT_EQ(anywhere->route, Route::replica);
    EXPECT_EQ(anywhere->access, Access::read_only);
    EXPECT_EQ(reading_at("1:9", first, Route::primary)->route, Route::primary);
    EXPECT_EQ(reading_at(latest_position, first, Route::replica)->route, Route::primary);
}

TEST(Position, WhatNobodyGaveOutIsRefused) {
    for (const char* text : {"x", "12", "1:", ":9", "1:9 ", "1:-1", "0:9", "65:9", "1:9..2:9",
                             "1:11112222333344445"}) {
        const auto reading = reading_at(text, first, Route::replica);
        ASSERT_FALSE(reading) << text;
        EXPECT_EQ(reading.error().code(), "malformed");
    }
}

TEST(Position, JoinedItIsTheLaterOfEachShard) {
    EXPECT_EQ(joined_positions("", "1:9"), "1:9");
    EXPECT_EQ(joined_positions("2:5", "1:9"), "1:9.2:5");
    EXPECT_EQ(joined_positions("1:9.2:5", "2:a"), "1:9.2:a");
    EXPECT_EQ(joined_positions("1:a", "1:9"), "1:a");
    EXPECT_EQ(joined_positions(latest_position, "1:9"), "1:9");
}

}  // namespace
}  // namespace rushproof
