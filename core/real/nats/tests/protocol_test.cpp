// Goal: what NATS says is understood however it is cut into pieces, what is no NATS is refused, and
// what we write reads back as it was.
// Method: the parser alone.
#include "core/real/nats/protocol.hpp"

#include <gtest/gtest.h>

namespace rushproof::nats {
namespace {

struct Heard {
    std::vector<Incoming> messages;
    std::vector<std::string> lines;

    Parser parser() {
        Parser::Events events;
        events.info = [this](std::string_view json) {
            lines.push_back("info " + std::string(json));
        };
        events.message = [this](Incoming message) { messages.push_back(std::move(message)); };
        events.ping = [this] { lines.push_back("ping"); };
        events.pong = [this] { lines.push_back("pong"); };
        events.error = [this](std::string_view reason) {
            lines.push_back("error" + std::string(reason));
        };
        return Parser(std::move(events));
    }
};

const std::string stream =
    "INFO {\"headers\":true}\r\nPING\r\n+OK\r\nMSG a.b 1 reply.1 5\r\nhel\r\n\r\n"
    "HMSG a.b 1 34 36\r\nNATS/1.0\r\nOne: 1\r\nTwo:  2 : 3 \r\n\r\nhi\r\n-ERR 'no'\r\n"
    "HMSG x 1 28 28\r\nNATS/1.0 503 Nobody here\r\n\r\n\r\nPONG\r\n";

void expect_all(const Heard& heard) {
    EXPECT_EQ(heard.lines,
              (std::vector<std::string>{"info {\"headers\":true}", "ping", "error 'no'", "pong"}));
    ASSERT_EQ(heard.messages.size(), 3u);
    EXPECT_EQ(heard.messages[0].subject, "a.b");
    EXPECT_EQ(heard.messages[0].subscription, 1u);
    EXPECT_EQ(heard.messages[0].reply, "reply.1");
    EXPECT_EQ(heard.messages[0].body, "hel\r\n");
    EXPECT_EQ(heard.messages[1].reply, "");
    EXPECT_EQ(heard.messages[1].header("One"), "1");
    EXPECT_EQ(heard.messages[1].header("Two"), " 2 : 3 ");
    EXPECT_EQ(heard.messages[1].body, "hi");
    EXPECT_EQ(heard.messages[2].status, 503);
}

TEST(Protocol, IsUnderstoodWhole) {
    Heard heard;
    Parser parser = heard.parser();
    ASSERT_TRUE(parser.feed(stream));
    expect_all(heard);
}

TEST(Protocol, IsUnderstoodInAnyTwoPieces) {
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Heard heard;
        Parser parser = heard.parser();
        ASSERT_TRUE(parser.feed(std::string_view(stream).substr(0, cut)));
        ASSERT_TRUE(parser.feed(std::string_view(stream).substr(cut)));
        expect_all(heard);
    }
}

TEST(Protocol, IsUnderstoodByteByByte) {
    Heard heard;
    Parser parser = heard.parser();
    for (const char byte : stream) { ASSERT_TRUE(parser.feed(std::string_view(&byte, 1))); }
    expect_all(heard);
}

TEST(Protocol, RefusesWhatIsNone) {
    for (const char* text :
         {"HELLO\r\n", "MSG a 1 x\r\n", "MSG a 1\r\n", "MSG a 1 b c 3\r\n",
          "MSG a 1 3\r\nabcde\r\n", "HMSG a 1 9 3\r\n", "HMSG a 1 8 8\r\nHTTP/1.0\r\n",
          "MSG a 1 99999999999\r\n", "HMSG a 1 17 17\r\nNATS/1.0\r\nnone\r\n\r\n\r\n"}) {
        Heard heard;
        Parser parser = heard.parser();
        EXPECT_FALSE(parser.feed(text)) << text;
    }
}

TEST(Protocol, WhatIsWrittenReadsBack) {
    Outgoing message;
    message.subject = "a.b";
    message.headers = {{"Nats-Msg-Id", "7"}, {"x", " two  words: "}, {"x", ""}};
    message.body = std::string("\r\n\0MSG", 6);
    std::string text;
    append(text, message, "inbox.1");
    // A server turns "HPUB subject reply ..." into "HMSG subject id reply ...".
    ASSERT_TRUE(text.starts_with("HPUB a.b inbox.1 "));
    text.replace(0, 9, "HMSG a.b 1 ");
    Heard heard;
    Parser parser = heard.parser();
    ASSERT_TRUE(parser.feed(text));
    ASSERT_EQ(heard.messages.size(), 1u);
    EXPECT_EQ(heard.messages[0].headers, message.headers);
    EXPECT_EQ(heard.messages[0].body, message.body);
    EXPECT_EQ(heard.messages[0].reply, "inbox.1");
}

TEST(Protocol, EscapesAnyBytes) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) { bytes += static_cast<char>(byte); }
    EXPECT_TRUE(is_header_value(escape(bytes)));
    EXPECT_EQ(unescape(escape(bytes)), bytes);
    EXPECT_EQ(escape("SKU-1"), "SKU-1");
    EXPECT_EQ(unescape("100%"), "100%");
    EXPECT_FALSE(is_header_value("a\nb"));
    EXPECT_FALSE(is_header_name("a:b"));
    EXPECT_FALSE(is_header_name(""));
}

}  // namespace
}  // namespace rushproof::nats
