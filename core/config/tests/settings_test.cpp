// Goal: settings are read strictly, from the right place, and every error says where and how to fix
// it. Method: tables of texts that must and must not be taken.
#include "core/config/settings.hpp"

#include <gtest/gtest.h>

namespace rushproof {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

Setting setting(std::string text) { return Setting{std::move(text), "RUSHPROOF_X"}; }

TEST(Settings, GivenBeatsEnvironmentBeatsDefault) {
    const std::vector<SettingInfo> known{{"a-b", "1", ""}, {"c", "2", ""}, {"d", "3", ""}};
    const Settings settings(known, {{"a-b", "flag"}},
                            {{"RUSHPROOF_A_B", "variable"}, {"RUSHPROOF_C", "variable"}});
    EXPECT_EQ(settings.get("a-b").text, "flag");
    EXPECT_EQ(settings.get("a-b").source, "--a-b");
    EXPECT_EQ(settings.get("c").text, "variable");
    EXPECT_EQ(settings.get("c").source, "RUSHPROOF_C");
    EXPECT_EQ(settings.get("d").text, "3");
    EXPECT_EQ(settings.get("d").source, "the default of --d");
    EXPECT_FALSE(settings.given("d"));
}

TEST(Settings, Durations) {
    EXPECT_EQ(read_duration(setting("250ms"), 1ms, 1h), 250ms);
    EXPECT_EQ(read_duration(setting("30s"), 1ms, 1h), 30s);
    EXPECT_EQ(read_duration(setting("10m"), 1ms, 1h), 10min);
    EXPECT_EQ(read_duration(setting("1h"), 1ms, 1h), 1h);
    for (const char* bad : {"", "10", "10x", "s", "-1s", "1.5s", "0ms", "2h", " 1s", "1s ",
                            "99999999999999999999h", "9223372036854775807h"}) {
        EXPECT_FALSE(read_duration(setting(bad), 1ms, 1h)) << bad;
    }
    EXPECT_EQ(read_duration(setting("10x"), 1ms, 1h).error().message(),
              "RUSHPROOF_X is \"10x\": expected a duration from 1ms to 1h, such as 250ms, 30s or "
              "10m");
}

TEST(Settings, Counts) {
    EXPECT_EQ(read_count(setting("7"), 1, 10), 7u);
    for (const char* bad : {"", "0", "11", "-1", "x", "7 ", "1e1", "99999999999999999999"}) {
        EXPECT_FALSE(read_count(setting(bad), 1, 10)) << bad;
    }
    EXPECT_EQ(read_count(setting("x"), 1, 10).error().message(),
              "RUSHPROOF_X is \"x\": expected a whole number from 1 to 10");
}

TEST(Settings, ListenAddresses) {
    EXPECT_EQ(read_listen_address(setting("127.0.0.1:8080"))->port, 8080);
    EXPECT_EQ(read_listen_address(setting("127.0.0.1:0"))->host, "127.0.0.1");
    EXPECT_EQ(read_listen_address(setting("[::1]:80"))->host, "::1");
    for (const char* bad : {"", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:",
                            "127.0.0.1:70000", "::1:80", "[::1:80", "[127.0.0.1]:80"}) {
        EXPECT_FALSE(read_listen_address(setting(bad))) << bad;
    }
}

TEST(Settings, Lists) {
    EXPECT_EQ(read_list(setting("a,b"))->size(), 2u);
    EXPECT_EQ(read_list(setting("a"))->front(), "a");
    EXPECT_TRUE(read_list(setting(""))->empty());
    for (const char* bad : {",", "a,", ",a", "a,,b"}) {
        EXPECT_FALSE(read_list(setting(bad))) << bad;
    }
}

}  // namespace
}  // namespace rushproof
