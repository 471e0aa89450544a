// Goal: bodies are read strictly with errors that name the member; what is written is JSON.
// Method: bodies good and bad; written text is parsed by Boost.JSON again.
#include "core/runtime/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace rushproof {
namespace {

TEST(JsonBody, ReadsMembersAndIgnoresOthers) {
    const JsonBody body(R"({"sku":"A-1","other":[1,{"x":null}],"quantity":2})");
    EXPECT_EQ(body.text("sku"), "A-1");
    EXPECT_EQ(body.integer("quantity"), 2);
}

TEST(JsonBody, NamesWhatIsWrong) {
    const JsonBody body(R"({"sku":7,"quantity":"two","huge":18446744073709551615,"part":1.5})");
    EXPECT_EQ(body.text("sku").error().message(), "sku must be a string");
    EXPECT_EQ(body.integer("quantity").error().message(), "quantity must be a 64-bit integer");
    EXPECT_FALSE(body.integer("huge"));
    EXPECT_FALSE(body.integer("part"));
    EXPECT_EQ(body.integer("count").error().message(), "count is missing");
    EXPECT_EQ(body.integer("count").error().code(), "malformed");
}

TEST(JsonBody, ReadsMembersOfAnObject) {
    const JsonBody body(R"({"price":{"units":5,"currency":"EUR","none":null},"sku":"A"})");
    EXPECT_EQ(body.integer("price.units"), 5);
    EXPECT_EQ(body.text("price.currency"), "EUR");
    EXPECT_EQ(body.text("price.units").error().message(), "price.units must be a string");
    EXPECT_EQ(body.text("price.tax").error().message(), "price.tax is missing");
    EXPECT_EQ(body.text("cost.tax").error().message(), "cost is missing");
    EXPECT_EQ(body.text("sku.tax").error().message(), "sku must be an object");
    EXPECT_TRUE(body.has("price.none"));
    EXPECT_TRUE(body.is_null("price.none"));
    EXPECT_FALSE(body.is_null("price.units"));
    EXPECT_FALSE(body.has("price.tax"));
    EXPECT_FALSE(JsonBody("[]").has("price"));
}

TEST(JsonBody, NamesTheMemberThatNobodyKnows) {
    const JsonBody body(R"({"price":{"units":5},"colour":"red"})");
    EXPECT_TRUE(body.only({"colour", "size", "price"}));
    EXPECT_EQ(body.only({"price", "size"}).error().message(),
              "colour is not known here; there are price, size");
    EXPECT_TRUE(body.only("price", {"units"}));
    EXPECT_EQ(body.only("price", {"currency"}).error().message(),
              "price.units is not known here; there are currency");
    EXPECT_EQ(body.only("colour", {"units"}).error().message(), "colour must be an object");
    EXPECT_FALSE(JsonBody("7").only({}));
}

TEST(JsonBody, RefusesWhatIsNoObject) {
    for (const char* text : {"", "[]", "7", "{", "{}x", "{'a':1}", "\xFF"}) {
        const auto error = JsonBody(text).text("sku").error();
        EXPECT_EQ(error.code(), "malformed") << text;
        EXPECT_NE(error.message(), "sku is missing") << text;
    }
}

TEST(JsonBody, ReadsBodiesLargerThanItsBuffer) {
    const std::string sku(100'000, 's');
    const JsonBody body("{\"sku\":\"" + sku + "\"}");
    EXPECT_EQ(body.text("sku"), sku);
}

TEST(JsonBody, RefusesDeepNesting) {
    const JsonBody body("{\"sku\":" + std::string(100'000, '['));
    EXPECT_EQ(body.text("sku").error().code(), "malformed");
}

TEST(JsonWriter, WritesNestedValuesAndEscapes) {
    JsonWriter json;
    json.begin_object();
    json.member("text", "a\"b\\c\n\x01 \xC3\xA4");
    json.begin_array("entries");
    json.begin_object();
    json.member("number", std::int64_t{-5});
    json.end_object();
    json.begin_object();
    json.end_object();
    json.end_array();
    json.begin_object("inner");
    json.member("a", "b");
    json.end_object();
    json.member("last", INT64_MIN);
    json.end_object();
    const std::string text = std::move(json).text();
    EXPECT_EQ(boost::json::parse(text),
              boost::json::parse(R"({"text":"a\"b\\c\n\u0001 ä","entries":[{"number":-5},{}],)"
                                 R"("inner":{"a":"b"},"last":-9223372036854775808})"));
}

}  // namespace
}  // namespace rushproof
