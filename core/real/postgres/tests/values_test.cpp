// Goal: values survive PostgreSQL's formats, and what it cannot hold is refused.
// Method: texts as the server writes them; the round trip through a server is in
// postgres_database_test.cpp.
#include "core/real/postgres/values.hpp"

#include <gtest/gtest.h>

namespace rushproof::postgres {
namespace {

using Texts = std::vector<std::string>;

std::string bytes_of(Value value) {
    Parameters parameters;
    Row row;
    row.push_back(std::move(value));
    const auto filled = parameters.fill(row);
    if (!filled) { return "refused: " + filled.error().message(); }
    return {parameters.values()[0], static_cast<std::size_t>(parameters.lengths()[0])};
}

TEST(PostgresValues, AreWrittenAsText) {
    EXPECT_EQ(bytes_of(std::int64_t{-42}), "-42");
    EXPECT_EQ(bytes_of(std::string("it's")), "it's");
    EXPECT_EQ(bytes_of(Bytes{std::string("\0\x7f\xff", 3)}), "\\x007fff");
    EXPECT_EQ(bytes_of(WallTime(std::chrono::microseconds(1'500'000))),
              "1970-01-01T00:00:01.500000Z");
}

TEST(PostgresValues, ArraysAreBinary) {
    using namespace std::string_literals;
    EXPECT_EQ(bytes_of(std::vector<std::int64_t>{1, -2}),
              "\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\2\0\0\0\1"
              "\0\0\0\x8\0\0\0\0\0\0\0\1\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xfe"s);
    EXPECT_EQ(bytes_of(std::vector<std::int64_t>{}), "\0\0\0\0\0\0\0\0\0\0\0\x14"s);
    EXPECT_EQ(bytes_of(Texts{R"(q"\)", ""}),
              "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\3q\"\\\0\0\0\0"s);
    EXPECT_EQ(bytes_of(Texts{}), "\0\0\0\0\0\0\0\0\0\0\0\x19"s);
    Parameters parameters;
    const Row row{std::string("a"), Texts{}};
    ASSERT_TRUE(parameters.fill(row));
    EXPECT_EQ(parameters.formats()[0], 0);
    EXPECT_EQ(parameters.formats()[1], 1);
}

TEST(PostgresValues, NullIsNoText) {
    Parameters parameters;
    const Row row{Value(), std::int64_t{1}};
    ASSERT_TRUE(parameters.fill(row));
    ASSERT_EQ(parameters.count(), 2);
    EXPECT_EQ(parameters.values()[0], nullptr);
    EXPECT_STREQ(parameters.values()[1], "1");
}

TEST(PostgresValues, WhatCannotBeHeldIsRefused) {
    const std::string nul("a\0b", 3);
    EXPECT_EQ(bytes_of(nul), "refused: a text with a NUL byte");
    EXPECT_EQ(bytes_of(Texts{"fine", nul}), "refused: a text with a NUL byte");
    EXPECT_EQ(bytes_of(WallTime::min()), "refused: a time outside the years 1 to 9999");
}

TEST(PostgresValues, ArraysAreRead) {
    EXPECT_EQ(read_array("{}"), Texts{});
    EXPECT_EQ(read_array("{1,22}"), (Texts{"1", "22"}));
    EXPECT_EQ(read_array(R"({"a b","q\"\\",c,"","NULL"})"),
              (Texts{"a b", R"(q"\)", "c", "", "NULL"}));
    for (const char* bad : {"", "{", "1,2", "{1,}", "{,1}", "{NULL}", "{{1},{2}}", R"({"a)",
                            R"({"a\)", R"({"a"b})"}) {
        EXPECT_EQ(read_array(bad), std::nullopt) << bad;
    }
}

TEST(PostgresValues, TimesAreRead) {
    EXPECT_EQ(read_time("1970-01-01 00:00:01.5+00"),
              WallTime(std::chrono::microseconds(1'500'000)));
    EXPECT_EQ(read_time("2026-08-01 12:00:00.00025+00"),
              WallTime(std::chrono::microseconds(1'785'585'600'000'250)));
    EXPECT_EQ(read_time("1969-12-31 23:59:59.999999"), WallTime(std::chrono::microseconds(-1)));
    for (const char* bad : {"", "infinity", "-infinity", "2026-08-01", "2026-08-01 12:00:00+02",
                            "0044-03-15 12:00:00+00 BC"}) {
        EXPECT_EQ(read_time(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace rushproof::postgres
