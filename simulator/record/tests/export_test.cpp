// Goal: exported operations are what jepsen.history expects: dense indexes, numbered processes,
// an invocation before every completion.
// Method: golden texts of one small history.
#include "simulator/record/export.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {
namespace {

History sample() {
    auto history = parse_history_json(
        R"({"rushproof-history":1,"stock":{"SKU-1":20},"audited":true}
{"time":1200,"process":3,"type":"invoke","f":"reserve","key":"SKU-1","value":{"quantity":2,"reservation":"r\"17"}}
{"time":1300,"process":"nemesis","type":"info","f":"kill-1","value":{"kind":"kill","target":"inventory/1"}}
{"time":1400,"process":"ann","type":"invoke","f":"read","key":"SKU-1"}
{"time":5400,"process":3,"type":"fail","f":"reserve","error":"insufficient"}
{"time":5400,"process":"ann","type":"ok","f":"read","value":{"available":18}}
{"time":5500,"process":3,"type":"invoke","f":"basket","value":{"reservation":"b-1","lines":[{"key":"SKU-1","quantity":1},{"key":"SKU-2","quantity":9}]}}
{"time":5600,"process":3,"type":"info","f":"basket"}
{"time":5700,"process":"sweeper","type":"ok","f":"expire","value":{"reservation":"b-1"}}
{"time":5700,"process":"audit","type":"ok","f":"stock","key":"SKU-1","value":{"on_hand":20,"held":2,"sold":0}}
)");
    EXPECT_TRUE(history.has_value()) << history.error().message();
    return std::move(*history);
}

TEST(Export, Edn) {
    std::ostringstream output;
    write_edn(sample(), output);
    EXPECT_EQ(
        output.str(),
        R"({:index 0, :time 1200, :process 3, :type :invoke, :f :reserve, :key "SKU-1", :value {:quantity 2, :reservation "r\"17"}}
{:index 1, :time 1300, :process :nemesis, :type :info, :f :start, :value {:id "kill-1", :kind "kill", :target "inventory/1"}}
{:index 2, :time 1400, :process 4, :type :invoke, :f :read, :key "SKU-1", :value {}}
{:index 3, :time 5400, :process 3, :type :fail, :f :reserve, :key "SKU-1", :value {:quantity 2, :reservation "r\"17"}, :error :insufficient}
{:index 4, :time 5400, :process 4, :type :ok, :f :read, :key "SKU-1", :value {:available 18}}
{:index 5, :time 5500, :process 3, :type :invoke, :f :basket, :value {:reservation "b-1", :lines [{:key "SKU-1", :quantity 1} {:key "SKU-2", :quantity 9}]}}
{:index 6, :time 5600, :process 3, :type :info, :f :basket, :value {:reservation "b-1", :lines [{:key "SKU-1", :quantity 1} {:key "SKU-2", :quantity 9}]}}
{:index 7, :time 5700, :process 5, :type :invoke, :f :expire, :value {:reservation "b-1"}}
{:index 8, :time 5700, :process 5, :type :ok, :f :expire, :value {:reservation "b-1"}}
)");
}

TEST(Export, JepsenJson) {
    std::ostringstream output;
    write_jepsen_json(sample(), output);
    const std::string text = output.str();
    EXPECT_EQ(
        text.substr(0, text.find('\n')),
        R"({"index": 0, "time": 1200, "process": 3, "type": "invoke", "f": "reserve", "key": "SKU-1", "value": {"quantity": 2, "reservation": "r\"17"}})");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
}

}  // namespace
}  // namespace rushproof::simulator
