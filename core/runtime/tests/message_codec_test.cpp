// Goal: a message is the same after a way from role to role.  Method: there and back.
#include "core/runtime/message_codec.hpp"

#include <gtest/gtest.h>

namespace rushproof {
namespace {

TEST(MessageCodec, KeepsEverything) {
    Message message;
    message.id = "m-1";
    message.key = "k";
    message.headers = {{"traceparent", "00-1"}, {"rushproof-kind", "reserve"}};
    message.body = std::string("\0\xff{}", 4);
    const Message back = from_wire(to_wire(message));
    EXPECT_EQ(back.id, message.id);
    EXPECT_EQ(back.key, message.key);
    EXPECT_EQ(back.headers, message.headers);
    EXPECT_EQ(back.body, message.body);
}

TEST(MessageCodec, KeepsAnEmptyOne) {
    const Message back = from_wire(to_wire(Message()));
    EXPECT_TRUE(back.id.empty() && back.key.empty() && back.headers.empty() && back.body.empty());
}

}  // namespace
}  // namespace rushproof
