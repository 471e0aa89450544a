// Goal: the binary form holds all of a history, and no damaged file passes or crashes the reader.
// Method: round trips through JSON lines; every truncation and every flipped byte of a small file.
#include "simulator/record/history_binary.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::string_view sample =
    R"({"rushproof-history":1,"stock":{"SKU-1":20,"SKU-2":5},"scenario":"flash","seed":7,"world":"sim","ttl":5000,"clock_bound":7,"audited":true,"compared":true}
{"index":0,"time":1200,"process":3,"type":"invoke","f":"reserve","key":"SKU-1","value":{"quantity":2,"reservation":"r-17"}}
{"index":1,"time":1300,"process":"nemesis","type":"info","f":"kill-1","value":{"kind":"kill","target":"inventory/1","phase":"begin","planned":1000,"actual":1300,"evidence":"pid 7 is gone"}}
{"index":2,"time":5400,"process":3,"type":"ok","f":"reserve","key":"SKU-1","value":{"quantity":2,"reservation":"r-17"}}
{"index":3,"time":5500,"process":3,"type":"invoke","f":"basket","value":{"reservation":"b-1","lines":[{"key":"SKU-1","quantity":1},{"key":"SKU-2","quantity":9}]}}
{"index":4,"time":5600,"process":3,"type":"fail","f":"basket","key":"SKU-2","value":{"reservation":"b-1","lines":[{"key":"SKU-1","quantity":1},{"key":"SKU-2","quantity":9}]},"error":"insufficient"}
{"index":5,"time":5700,"process":"operator","type":"fail","f":"switch-queue","value":{"id":"switch-queue-1","from":"memory","to":"nats","epoch":3,"began":5650,"carried_over":12},"error":"nats is away"}
{"index":6,"time":5700,"process":"audit","type":"ok","f":"ledger","key":"SKU-1","value":{"number":1,"kind":"stock","quantity":20,"at":0,"committed_before":10}}
{"index":7,"time":5700,"process":"audit","type":"ok","f":"ledger","key":"SKU-1","value":{"number":2,"kind":"reserve","reservation":"r-17","quantity":2,"at":1250,"committed_before":5300}}
{"index":8,"time":5700,"process":"audit","type":"ok","f":"stock","key":"SKU-1","value":{"on_hand":20,"held":2,"sold":0}}
{"index":9,"time":5700,"process":"audit","type":"ok","f":"divergence","value":{"message":"m-1","on":"nats","missing":"kafka","state":"repaired","at":5660}}
)";

std::string as_json(const History& history) {
    std::ostringstream output;
    write_history_json(history, output);
    return output.str();
}

std::string as_binary(const History& history) {
    std::ostringstream output;
    write_history_binary(history, output);
    return output.str();
}

TEST(HistoryBinary, HoldsAllThatJsonHolds) {
    const std::string bytes = as_binary(*parse_history_json(sample));
    const auto history = read_history_binary(bytes);
    ASSERT_TRUE(history.has_value()) << history.error().message();
    EXPECT_EQ(as_json(*history), sample);
    EXPECT_EQ(as_binary(*history), bytes);
}

TEST(HistoryBinary, EitherFormIsRecognised) {
    std::istringstream json{std::string(sample)};
    std::istringstream binary(as_binary(*parse_history_json(sample)));
    EXPECT_EQ(as_json(*read_history(json)), sample);
    EXPECT_EQ(as_json(*read_history(binary)), sample);
}

TEST(HistoryBinary, LongHistoriesStandInSections) {
    History history;
    history.initial_stock.emplace_back(history.texts.intern("SKU-1"), 1);
    const TextId process = history.texts.intern("1");
    for (std::int64_t time = 0; time < 150'000; ++time) {
        Event event{.time = time, .process = process, .key = 0, .function = Function::read};
        event.type = time % 2 == 0 ? EventType::invoke : EventType::ok;
        history.events.push_back(event);
    }
    const std::string bytes = as_binary(history);
    EXPECT_LT(bytes.size(), 150'000u * 36);
    EXPECT_EQ(as_json(*read_history_binary(bytes)), as_json(history));
}

TEST(HistoryBinary, NoTruncatedFilePasses) {
    const std::string bytes = as_binary(*parse_history_json(sample));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(read_history_binary(std::string_view(bytes).substr(0, size)).has_value());
    }
}

TEST(HistoryBinary, NoDamagedFilePasses) {
    const std::string bytes = as_binary(*parse_history_json(sample));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const char flip : {'\x01', '\x80', '\xff'}) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ flip);
            const auto history = read_history_binary(damaged);
            EXPECT_FALSE(history.has_value()) << "byte " << at;
        }
    }
}

TEST(HistoryBinary, SaysWhatIsWrong) {
    const std::string bytes = as_binary(*parse_history_json(sample));
    EXPECT_EQ(read_history_binary(sample).error().message(),
              "this is no binary history: its first bytes are others");
    EXPECT_EQ(read_history_binary(bytes.substr(0, bytes.size() - 1)).error().message(),
              "the file was not written to its end: copy it again, or repeat the run");
    std::string newer = bytes;
    newer[8] = 2;
    EXPECT_EQ(read_history_binary(newer).error().message(),
              "version 2 of the format is newer than 1, which is known here: use a newer "
              "rushproof");
    std::string damaged = bytes;
    damaged[20] = 'x';
    EXPECT_EQ(read_history_binary(damaged).error().message(),
              "the header of the history: its bytes are damaged");
}

}  // namespace
}  // namespace rushproof::simulator
