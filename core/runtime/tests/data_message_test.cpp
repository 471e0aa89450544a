// Goal: a message's body comes back from its JSON as it was, what clients may send is understood,
// and what no database could keep is found.  Method: known texts, and every length of bytes.
#include <gtest/gtest.h>

#include "core/runtime/base64.hpp"
#include "core/runtime/data_message.hpp"

namespace rushproof {
namespace {

std::string encoded(std::string_view bytes) {
    std::string text;
    append_base64(text, bytes);
    return text;
}

TEST(Base64, HasTheStandardForm) {
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("f"), "Zg==");
    EXPECT_EQ(encoded("fo"), "Zm8=");
    EXPECT_EQ(encoded("foo"), "Zm9v");
    EXPECT_EQ(encoded("\xff\xfe\xfb"), "//77");
}

TEST(Base64, ComesBack) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(base64_decoded(encoded(bytes)), bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, RefusesWhatItNeverWrites) {
    for (const std::string_view text :
         {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm9_", "Z=9v"}) {
        EXPECT_FALSE(base64_decoded(text)) << text;
    }
}

TEST(DataMessage, ComesBackFromItsJson) {
    DataMessage message;
    message.id = "a-1";
    message.timestamp = 1'700'000'000;
    message.source = "till \"4\"\n\xC3\xA9";
    message.payload = std::string("\0\xff{}", 4);
    message.metadata = {{"key", "k"}, {"we\"ird", "v\\"}};
    const auto back = parse_data_message(to_json(message));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->id, message.id);
    EXPECT_EQ(back->timestamp, message.timestamp);
    EXPECT_EQ(back->source, message.source);
    EXPECT_EQ(back->payload, message.payload);
    EXPECT_EQ(back->metadata, message.metadata);
}

TEST(DataMessage, LeavesEmptyMembersOut) {
    DataMessage message;
    EXPECT_EQ(to_json(message), "{}");
    message.id = "a";
    message.timestamp = 1;
    message.source = "s";
    message.payload = "hello";
    message.metadata = {{"k", "v"}};
    EXPECT_EQ(to_json(message), R"({"id":"a","timestamp":1,"source":"s","payload":"aGVsbG8=",)"
                                R"("metadata":{"k":"v"}})");
}

TEST(DataMessage, TakesNullAsAbsentAndIgnoresTheUnknown) {
    const auto message =
        parse_data_message(R"({"id":"a","source":null,"metadata":null,"payload":null,"more":[1]})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->id, "a");
    EXPECT_TRUE(message->source.empty());
    EXPECT_TRUE(message->payload.empty());
}

TEST(DataMessage, NamesTheMemberAtFault) {
    for (const auto& [text, named] : std::initializer_list<std::pair<const char*, const char*>>{
             {"", "JSON"},
             {"[]", "object"},
             {R"({"id":1})", "id"},
             {R"({"timestamp":"1"})", "timestamp"},
             {R"({"payload":"%"})", "payload"},
             {R"({"payload":1})", "payload"},
             {R"({"metadata":[]})", "metadata"},
             {R"({"metadata":{"n":1}})", "metadata.n"}}) {
        const auto message = parse_data_message(text);
        ASSERT_FALSE(message) << text;
        EXPECT_EQ(message.error().code(), "malformed");
        EXPECT_NE(message.error().message().find(named), std::string::npos) << text;
    }
}

TEST(AcceptedAt, ComesBackWhereItIsKnown) {
    Message message;
    EXPECT_EQ(accepted_at(message), std::nullopt);
    const WallTime at{std::chrono::microseconds(1'785'585'600'000'250)};
    set_accepted_at(message, at);
    EXPECT_EQ(accepted_at(message), at);
    message.headers.front().second = "yesterday";
    EXPECT_EQ(accepted_at(message), std::nullopt);
}

TEST(IngestBody, HasOnlyOptionalMembers) {
    EXPECT_TRUE(parse_ingest_body("{}"));
    const auto body = parse_ingest_body(R"({"source":"s","data":"d","metadata":{"key":"k"}})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->data, "d");
    EXPECT_EQ(ordering_key(body->metadata, body->source), "k");
    EXPECT_EQ(ordering_key({}, body->source), "s");
    EXPECT_FALSE(parse_ingest_body(R"({"metadata":{"n":1}})"));
    EXPECT_FALSE(parse_ingest_body(R"({"data":1})"));
}

TEST(CheckData, FindsWhatCannotBeKept) {
    EXPECT_TRUE(check_data("s", std::string(data_limits::payload_bytes, '\0'), {}));
    EXPECT_EQ(check_data("s", std::string(data_limits::payload_bytes + 1, 'x'), {}).error().code(),
              "too-large");
    EXPECT_EQ(
        check_data("s", "", {{"k", std::string(data_limits::metadata_bytes, 'x')}}).error().code(),
        "too-large");
    EXPECT_FALSE(check_data(std::string(data_limits::source_length + 1, 's'), "", {}));
    EXPECT_FALSE(check_data("s", "", {{"key", std::string("a\0b", 3)}}));
}

TEST(StorableText, IsUtf8WithoutNul) {
    for (const std::string_view good :
         {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        EXPECT_TRUE(is_storable_text(good)) << good;
    }
    for (const std::string_view bad :
         {std::string_view("\0", 1), std::string_view("\xC3"), std::string_view("\xC0\x80"),
          std::string_view("\xE0\x80\x80"), std::string_view("\xED\xA0\x80"),
          std::string_view("\xF4\x90\x80\x80"), std::string_view("\xFF"),
          std::string_view("\xC3(")}) {
        EXPECT_FALSE(is_storable_text(bad)) << bad;
    }
}

}  // namespace
}  // namespace rushproof
