// Goal: numbers with units are exact, and what is written without or with a wrong unit is refused
// with the text to write instead.
// Method: tables of texts and values, and formatting followed by parsing.
#include "simulator/scenario/units.hpp"

#include <gtest/gtest.h>

#include "core/base/keyed_random.hpp"
#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Units, DurationsAreExact) {
    const std::vector<std::pair<std::string, Duration>> table{
        {"80ms", milliseconds(80)},
        {"1.5s", milliseconds(1500)},
        {"0.000000001s", Duration(1)},
        {"1m30s", seconds(90)},
        {"1h1m1s1ms1us1ns",
         hours(1) + minutes(1) + seconds(1) + milliseconds(1) + microseconds(1) + Duration(1)},
        {"1.5m", seconds(90)},
        {"0.25h", minutes(15)},
        {"-200ms", milliseconds(-200)},
        {"0s", Duration(0)},
        {"24h", hours(24)},
    };
    for (const auto& [text, value] : table) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, value) << text;
    }
}

TEST(Units, DurationsThatAreNoneAreRefused) {
    for (const auto* const text :
         {"", "s", "5 s", "5S", "ms5", "1s1m", "1s1s", "1.s", ".5s", "--1s", "1.0000000001s",
          "0.5ns", "25h", "1e3s", "99999999999999999999s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
    EXPECT_EQ(parse_duration("80").error().message,
              "expected a duration, found the bare number 80");
    EXPECT_EQ(parse_duration("80").error().hint, "add a unit: 80ms, 80s or 80m");
}

TEST(Units, EveryDurationIsReadAsItWasWritten) {
    RandomStream random(7);
    for (int round = 0; round < 10'000; ++round) {
        const std::int64_t magnitude = random.between(1, 86'400'000'000'000);
        const Duration value(magnitude >> random.below(44));
        EXPECT_EQ(parse_duration(format_duration(value)), value) << format_duration(value);
    }
    for (const Duration value : {Duration(hours(24)), Duration(minutes(7)), Duration(seconds(60)),
                                 Duration(milliseconds(1010)), Duration(microseconds(1100))}) {
        EXPECT_EQ(parse_duration(format_duration(value)), value) << format_duration(value);
    }
    EXPECT_EQ(format_duration(milliseconds(1500)), "1.5s");
    EXPECT_EQ(format_duration(hours(24)), "24h");
    EXPECT_EQ(format_duration(minutes(10)), "10m");
    EXPECT_EQ(format_duration(seconds(90)), "90s");
    EXPECT_EQ(format_duration(milliseconds(-200)), "-200ms");
}

TEST(Units, Rates) {
    EXPECT_EQ(parse_rate("400/s")->per_1000_seconds, 400'000);
    EXPECT_EQ(parse_rate("0.5/s")->per_1000_seconds, 500);
    EXPECT_EQ(parse_rate("0/s")->per_1000_seconds, 0);
    EXPECT_EQ(format_rate(Rate{400'500}), "400.5/s");
    EXPECT_EQ(parse_rate("400").error().hint, "add its unit, per second: 400/s");
    for (const auto* const text : {"", "/s", "-1/s", "400/m", "0.0001/s", "2000000/s"}) {
        EXPECT_FALSE(parse_rate(text)) << text;
    }
}

TEST(Units, Shares) {
    EXPECT_EQ(*parse_share("0.7"), 700'000u);
    EXPECT_EQ(*parse_share("70%"), 700'000u);
    EXPECT_EQ(*parse_share("0.0001%"), 1u);
    EXPECT_EQ(*parse_share("1"), 1'000'000u);
    EXPECT_EQ(format_share(1'234), "0.1234%");
    EXPECT_EQ(parse_share("70").error().hint, "write 70%");
    for (const auto* const text : {"", "%", "1.1", "101%", "-1%", "0.0000001"}) {
        EXPECT_FALSE(parse_share(text)) << text;
    }
}

TEST(Units, PartsPerMillion) {
    EXPECT_EQ(*parse_ppm("-500ppm"), -500);
    EXPECT_EQ(parse_ppm("500").error().hint, "add the unit: 500ppm");
    for (const auto* const text : {"", "ppm", "--5ppm", "600000ppm", "1.5ppm"}) {
        EXPECT_FALSE(parse_ppm(text)) << text;
    }
}

TEST(Units, OnlyNumbersAreNumbers) {
    for (const auto* const text : {"5", "-5", "+5", "5.5", "1e3", ".5"}) {
        EXPECT_TRUE(is_number(text)) << text;
    }
    for (const auto* const text : {"", "5s", "inf", "nan", "e", "-", "1.2.3"}) {
        EXPECT_FALSE(is_number(text)) << text;
    }
}

}  // namespace
}  // namespace rushproof::simulator
