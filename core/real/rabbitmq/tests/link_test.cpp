// Goal: URLs and headers are read as they were meant, and nothing secret gets into an error.
// Method: the functions alone.
#include "core/real/rabbitmq/link.hpp"

#include <gtest/gtest.h>

namespace rushproof::rabbitmq {
namespace {

TEST(RabbitAddress, IsReadFromItsUrl) {
    const auto full = parse_address("amqp://me:p%40ss@server:1234/%2Fmine");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->host, "server");
    EXPECT_EQ(full->port, 1234);
    EXPECT_EQ(full->user, "me");
    EXPECT_EQ(full->password, "p@ss");
    EXPECT_EQ(full->vhost, "/mine");
    const auto bare = parse_address("amqp://server");
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->port, 5672);
    EXPECT_EQ(bare->user + bare->password + bare->vhost, "guestguest/");
    EXPECT_EQ(parse_address("amqp://server/")->vhost, "/");
}

TEST(RabbitAddress, IsRefusedWithoutItsSecrets) {
    for (const char* url : {"", "server", "http://server", "amqps://me:pa55@server", "amqp://",
                            "amqp://me:pa55@", "amqp://me:pa55@server:x", "amqp://server:70000"}) {
        const auto refused = parse_address(url);
        ASSERT_FALSE(refused) << url;
        EXPECT_EQ(refused.error().kind(), ErrorKind::permanent);
        EXPECT_EQ(refused.error().message().find("pa55"), std::string::npos);
    }
}

TEST(RabbitHeaders, SurviveAnyBytes) {
    const std::vector<std::pair<std::string, std::string>> headers = {
        {"a", ""}, {"a", "1:2"}, {"", std::string("\0\n", 2)}, {"\xc3\xa4", "x"}};
    EXPECT_EQ(unpack(pack(headers)), headers);
    EXPECT_TRUE(unpack(pack({})).empty());
    for (const char* text : {"x", "3", "3:ab", "99999999999999999999:a", "1:a"}) {
        EXPECT_TRUE(unpack(text).empty()) << text;
    }
}

}  // namespace
}  // namespace rushproof::rabbitmq
