// Goal: what a URL says is understood, and a wrong one is refused without its password.
// Method: text.
#include <gtest/gtest.h>

#include "core/real/nats/client.hpp"

namespace rushproof::nats {
namespace {

TEST(Servers, AreReadFromTheirUrls) {
    const auto servers = parse_servers("nats://me:se:cret@one:4333, two,nats://token@[::1]:5/");
    ASSERT_TRUE(servers);
    ASSERT_EQ(servers->size(), 3u);
    EXPECT_EQ(servers->at(0).host + " " + servers->at(0).port, "one 4333");
    EXPECT_EQ(servers->at(0).user + " " + servers->at(0).password, "me se:cret");
    EXPECT_EQ(servers->at(1).host + " " + servers->at(1).port, "two 4222");
    EXPECT_EQ(servers->at(2).host + " " + servers->at(2).port + " " + servers->at(2).user,
              "::1 5 token");
    for (const char* url : {"", "tls://one", "http://one", "nats://", "nats://one:", "one:x",
                            "one,,two", "nats://me:pa55@"}) {
        const auto refused = parse_servers(url);
        ASSERT_FALSE(refused) << url;
        EXPECT_EQ(refused.error().message().find("pa55"), std::string::npos);
    }
}

}  // namespace
}  // namespace rushproof::nats
