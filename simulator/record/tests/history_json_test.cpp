// Goal: JSON lines histories are read as docs/history.md says, and every wrong line is refused with
// its number, the reason and the remedy.
// Method: small files as text; reading back what was written; the same file in pieces of each size.
#include "simulator/record/history_json.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace rushproof::simulator {
namespace {

constexpr std::string_view sample =
    R"({"rushproof-history":1,"stock":{"SKU-1":20,"SKU-2":5},"scenario":"flash","seed":18446744073709551615,"world":"sim","ttl":5000,"clock_bound":7,"audited":true}
{"index":0,"time":1200,"process":3,"type":"invoke","f":"reserve","key":"SKU-1","value":{"quantity":2,"reservation":"r-17"}}
{"index":1,"time":1300,"process":"nemesis","type":"info","f":"kill-1","value":{"kind":"kill","target":"inventory/1","phase":"begin","planned":1000,"actual":1300,"evidence":"pid 7 is gone","error":"reset"}}
{"index":2,"time":1300,"process":"ann","type":"invoke","f":"read","key":"SKU-1","value":{}}
{"index":3,"time":5400,"process":3,"type":"ok","f":"reserve","key":"SKU-1","value":{"quantity":2,"reservation":"r-17"}}
{"index":4,"time":5400,"process":"ann","type":"ok","f":"read","key":"SKU-1","value":{"available":18}}
{"index":5,"time":5500,"process":3,"type":"invoke","f":"basket","value":{"reservation":"b-1","lines":[{"key":"SKU-1","quantity":1},{"key":"SKU-2","quantity":9}]}}
{"index":6,"time":5600,"process":3,"type":"fail","f":"basket","key":"SKU-2","value":{"reservation":"b-1","lines":[{"key":"SKU-1","quantity":1},{"key":"SKU-2","quantity":9}]},"error":"insufficient"}
{"index":7,"time":5700,"process":"p","type":"invoke","f":"enqueue","key":"k","value":{"message":"m-1"}}
{"index":8,"time":5800,"process":"p","type":"info","f":"enqueue","key":"k","value":{"message":"m-1"}}
{"index":9,"time":5900,"process":"worker","type":"ok","f":"process","key":"k","value":{"message":"m-1"}}
{"index":10,"time":5900,"process":3,"type":"invoke","f":"find","value":{"reservation":"r-17"}}
{"index":11,"time":5900,"process":3,"type":"ok","f":"find","value":{"state":"held","reservation":"r-17"}}
{"index":12,"time":5900,"process":"audit","type":"ok","f":"ledger","key":"SKU-1","value":{"number":1,"kind":"reserve","reservation":"r-17","quantity":2,"at":1250,"committed_before":5300}}
{"index":13,"time":5900,"process":"audit","type":"ok","f":"stock","key":"SKU-1","value":{"on_hand":20,"held":2,"sold":0}}
)";

History parse(std::string_view text) {
    auto history = parse_history_json(text);
    EXPECT_TRUE(history.has_value()) << history.error().message();
    return std::move(*history);
}

std::string written(const History& history) {
    std::ostringstream output;
    write_history_json(history, output);
    return output.str();
}

TEST(HistoryJson, WhatIsWrittenIsWhatWasRead) {
    const History history = parse(sample);
    EXPECT_EQ(written(history), sample);
    EXPECT_EQ(history.events.size(), 11u);
    EXPECT_EQ(history.faults.size(), 1u);
    EXPECT_EQ(history.baskets.size(), 1u);
    EXPECT_EQ(history.seed, 18446744073709551615u);
    EXPECT_EQ(history.texts.text(history.events[5].key), "SKU-2");
    EXPECT_EQ(history.events[5].failure, Failure::insufficient);
}

TEST(HistoryJson, PiecesMayEndAnywhere) {
    for (std::size_t size = 1; size < 80; ++size) {
        HistoryJsonReader reader;
        for (std::size_t at = 0; at < sample.size(); at += size) {
            ASSERT_TRUE(reader.feed(sample.substr(at, size)).has_value());
        }
        const auto history = reader.finish();
        ASSERT_TRUE(history.has_value());
        EXPECT_EQ(written(*history), sample);
    }
    std::istringstream stream{std::string(sample)};
    EXPECT_EQ(written(*read_history_json(stream)), sample);
}

TEST(HistoryJson, StrangersMayWriteLessAndMore) {
    const History history = parse(
        "\n{\"rushproof-history\":1,\"stock\":{\"A\":1},\"tool\":{\"name\":[1,{\"stock\":2}]}}\r\n"
        "{\"time\":1,\"process\":1,\"type\":\"invoke\",\"f\":\"reserve\",\"key\":\"A\",\"value\":"
        "{\"quantity\":1,\"reservation\":17,\"held\":\"yes\",\"at\":{\"quantity\":[5]}},\"x\":1.5}"
        "\n\n"
        "{\"time\":2,\"process\":1,\"type\":\"ok\",\"f\":\"reserve\"}\n"
        "{\"time\":2,\"process\":2,\"type\":\"invoke\",\"f\":\"confirm\",\"value\":"
        "{\"reservation\":\"\\u0031\\u0037\"}}");
    ASSERT_EQ(history.events.size(), 3u);
    EXPECT_EQ(history.events[1].amount, 1);
    EXPECT_EQ(history.events[1].subject, history.events[2].subject);
    EXPECT_EQ(history.texts.text(history.events[1].subject), "17");
    EXPECT_FALSE(history.audited);
}

TEST(HistoryJson, TextsWithQuotesAndControlCharactersSurvive) {
    History history;
    history.scenario = "a\"b\\c\n\x01 é";
    EXPECT_EQ(parse(written(history)).scenario, history.scenario);
}

struct Wrong {
    std::string lines;  // after the header
    std::string message;
};

std::string operation(int time, std::string_view process, std::string_view type,
                      std::string_view rest) {
    return "{\"time\":" + std::to_string(time) + ",\"process\":" + std::string(process) +
           ",\"type\":\"" + std::string(type) + "\"," + std::string(rest) + "}\n";
}

constexpr std::string_view take =
    R"("f":"reserve","key":"A","value":{"quantity":1,"reservation":"r"})";

TEST(HistoryJson, WrongLinesAreNamed) {
    const std::string invoked = operation(5, "1", "invoke", take);
    const std::vector<Wrong> cases{
        {"{\n", "line 2: no valid JSON at column 2 (incomplete JSON): write one object a line"},
        {"{} {}\n", "line 2: no valid JSON at column 4 (extra data): write one object a line"},
        {"[1]\n", "line 2: this is no JSON object: write one object a line"},
        {"7\n", "line 2: this is no JSON object: write one object a line"},
        {"{\"rushproof-history\":1}\n", "line 2: a second header: one file holds one history"},
        {"{\"process\":1}\n", "line 2: `time` is missing: docs/history.md shows the line"},
        {"{\"time\":1}\n", "line 2: `process` is missing: docs/history.md shows the line"},
        {operation(1, "1", "maybe", take),
         "line 2: `type` is \"maybe\": give invoke, ok, fail or info"},
        {operation(1, "1", "invoke", "\"f\":\"lock\""),
         "line 2: `f` is \"lock\": give reserve, confirm, release, expire, read, restock, basket, "
         "enqueue, process, extend or find"},
        {operation(1, "{}", "invoke", take),
         "line 2: `process` has the wrong type: docs/history.md shows it"},
        {operation(1, "1", "invoke",
                   R"("f":"reserve","key":"A","value":{"quantity":1.5,"reservation":"r"})"),
         "line 2: `quantity` has the wrong type: docs/history.md shows it"},
        {operation(1, "1", "invoke",
                   R"("f":"reserve","key":"A","value":{"quantity":0,"reservation":"r"})"),
         "line 2: the quantity is 0: give a `quantity` from 1 to 1000000000"},
        {operation(1, "1", "invoke", R"("f":"reserve","value":{"quantity":1,"reservation":"r"})"),
         "line 2: reserve needs a `key`: the SKU"},
        {operation(1, "1", "invoke", R"("f":"reserve","key":"A","value":{"quantity":1})"),
         "line 2: reserve needs a `reservation` in its value: the key that the client chose"},
        {operation(1, "1", "invoke", R"("f":"enqueue","key":"A","value":{})"),
         "line 2: enqueue needs a `message` in its value: the id of the message"},
        {operation(1, "1", "ok", take),
         "line 2: process 1 completes reserve, but invoked nothing: write the invoke before its "
         "completion"},
        {invoked + operation(6, "1", "invoke", take),
         "line 3: process 1 invokes reserve while its reserve is under way: use one process for "
         "each operation under way"},
        {invoked + operation(6, "1", "info", take) + operation(7, "1", "invoke", take),
         "line 4: process 1 acts again after `info`: go on under a process that was not used yet"},
        {invoked + operation(6, "1", "ok", "\"f\":\"confirm\""),
         "line 3: process 1 completes confirm, but its reserve is under way: complete that first"},
        {invoked +
             operation(6, "1", "ok", R"("f":"reserve","value":{"quantity":2,"reservation":"r"})"),
         "line 3: process 1 completes something else than the reserve that it invoked at 5: repeat "
         "its key and value"},
        {invoked + "\n" + operation(4, "2", "invoke", take),
         "line 4: time goes backwards, from 5 to 4: sort the lines by time"},
        {operation(1, "1", "invoke", "\"f\":\"read\",\"key\":\"A\"") +
             operation(2, "1", "ok", "\"f\":\"read\",\"key\":\"A\""),
         "line 3: `available` is missing: docs/history.md shows the line"},
        {operation(1, "1", "invoke", "\"f\":\"read\",\"key\":\"A\"") +
             operation(2, "1", "ok", R"("f":"read","value":{"available":1000000000000001})"),
         "line 3: `available` is 1000000000000001: give a number from -1000000000000000 to "
         "1000000000000000"},
        {operation(1, "1", "invoke", R"("f":"find","value":{"reservation":"r"})") +
             operation(2, "1", "ok", R"("f":"find","value":{"state":"gone"})"),
         "line 3: a find is `ok` without a `state`: give absent, held, confirmed, released or "
         "expired"},
        {operation(1, "1", "invoke",
                   R"("f":"basket","value":{"reservation":"b","lines":[{"key":"A","quantity":1},)"
                   R"({"key":"A","quantity":2}]})"),
         "line 2: the basket names A twice: add the quantities up"},
        {operation(1, "1", "invoke", R"("f":"basket","value":{"reservation":"b"})"),
         "line 2: a basket, and nothing else, has `lines` of key and quantity in its value"},
        {operation(1, "\"nemesis\"", "info", R"("f":"kill-1","value":{"phase":"middle"})"),
         "line 2: `phase` is \"middle\": give begin or end"},
        {operation(1, "\"audit\"", "ok", "\"f\":\"books\""),
         "line 2: `f` of an audit line is \"books\": give ledger, stock or divergence"},
        {operation(1, "\"audit\"", "ok",
                   R"("f":"divergence","value":{"message":"m","on":"a","missing":"b","at":1,)"
                   R"("state":"odd"})"),
         "line 2: `state` is \"odd\": give open, repaired or unrecorded"},
        {operation(5, "\"operator\"", "ok", R"("f":"switch-queue","value":{"id":"s","to":"b"})"),
         "line 2: `began` is missing: docs/history.md shows the line"},
        {operation(5, "\"operator\"", "ok",
                   R"("f":"switch-queue","value":{"id":"s","to":"b","began":6})"),
         "line 2: `began` is 6: give a number from -1152921504606846976 to 5"},
        {operation(5, "\"operator\"", "invoke",
                   R"("f":"switch-queue","value":{"id":"s","to":"b","began":1})"),
         "line 2: a switch is one line, at its end: give ok, fail or info as its `type`"},
        {operation(1, "\"audit\"", "ok",
                   R"("f":"ledger","key":"A","value":{"number":1,"kind":"reserve","quantity":1,)"
                   R"("at":9,"committed_before":8,"reservation":"r"})"),
         "line 2: `committed_before` is 8: give a number from 9 to 1152921504606846976"},
    };
    for (const Wrong& wrong : cases) {
        const auto history =
            parse_history_json("{\"rushproof-history\":1,\"stock\":{\"A\":1}}\n" + wrong.lines);
        ASSERT_FALSE(history.has_value()) << wrong.message;
        EXPECT_EQ(history.error().message(), wrong.message);
        EXPECT_EQ(history.error().code(), "bad-history");
    }
}

TEST(HistoryJson, WrongHeadersAreNamed) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"",
         "line 1: the file has no header: begin with "
         "{\"rushproof-history\":1,\"stock\":{...}}"},
        {"{\"time\":1}",
         "line 1: a header must come first: {\"rushproof-history\":1,\"stock\":{...}}"},
        {"{\"rushproof-history\":2}",
         "line 1: this reader knows version 1 of the format only: use a newer rushproof"},
        {"{\"rushproof-history\":1,\"stock\":{\"A\":1,\"A\":2}}",
         "line 1: stock names A twice: once is right"},
        {"{\"rushproof-history\":1,\"stock\":{\"A\":-1}}",
         "line 1: the stock of A is -1: give a number from 0 to 1000000000000000"},
        {"{\"rushproof-history\":1,\"ttl\":-1}",
         "line 1: `ttl` is -1: give a number from 0 to 1152921504606846976"},
    };
    for (const auto& [text, message] : cases) {
        const auto history = parse_history_json(text);
        ASSERT_FALSE(history.has_value()) << message;
        EXPECT_EQ(history.error().message(), message);
    }
}

}  // namespace
}  // namespace rushproof::simulator
