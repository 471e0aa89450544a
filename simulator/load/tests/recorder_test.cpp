// Goal: the history holds what was reported, and joining histories keeps time and order.
// Method: recorded by hand, compared by text.
#include "simulator/load/recorder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "simulator/load/tests/describe.hpp"

namespace rushproof::simulator {
namespace {

TEST(Recorder, WritesOperationsAndTellsTheObserver) {
    History history;
    std::size_t observed = 0;
    Recorder recorder(history, 0, 1, [&](const Event&) { ++observed; });
    const TextId process = recorder.take_process();
    const auto reserve = recorder.invoke(5, process, Function::reserve, "SKU-1", "k", 2);
    recorder.ok(9, reserve);
    const auto read = recorder.invoke(10, process, Function::read, "SKU-1", "", 0);
    recorder.ok_read(12, read, 18);
    const auto refused = recorder.invoke(13, process, Function::reserve, "SKU-1", "l", 40);
    recorder.fail(14, refused, Failure::insufficient);
    const auto lost = recorder.invoke(15, process, Function::confirm, "SKU-1", "k", 2);
    recorder.info(16, lost);
    EXPECT_EQ(describe(history), (std::vector<std::string>{
                                     "5 0 invoke reserve SKU-1 k 2",
                                     "9 0 ok reserve SKU-1 k 2",
                                     "10 0 invoke read SKU-1 - 0",
                                     "12 0 ok read SKU-1 - 18",
                                     "13 0 invoke reserve SKU-1 l 40",
                                     "14 0 fail reserve SKU-1 l 40 insufficient",
                                     "15 0 invoke confirm SKU-1 k 2",
                                     "16 0 info confirm SKU-1 k 2",
                                 }));
    EXPECT_EQ(observed, history.events.size());
}

TEST(Recorder, ItemsOfABasketAddUpBySku) {
    History history;
    Recorder recorder(history);
    const TextId process = recorder.take_process();
    const std::vector<std::pair<std::string, std::int64_t>> items{
        {"SKU-2", 1}, {"SKU-1", 1}, {"SKU-2", 3}};
    const auto basket = recorder.invoke_basket(5, process, "b", items);
    recorder.fail(9, basket, Failure::insufficient, "SKU-1");
    EXPECT_EQ(describe(history), (std::vector<std::string>{
                                     "5 0 invoke basket - b 0 [4 SKU-2] [1 SKU-1]",
                                     "9 0 fail basket SKU-1 b 0 [4 SKU-2] [1 SKU-1] insufficient",
                                 }));
}

TEST(Recorder, MergedHistoriesKeepTheirBaskets) {
    std::vector<History> parts(2);
    for (std::uint32_t part = 0; part < 2; ++part) {
        Recorder recorder(parts[part], part, 2);
        const std::string sku = "SKU-" + std::to_string(part);
        const std::vector<std::pair<std::string, std::int64_t>> items{{"SKU-9", 1}, {sku, 2}};
        const auto basket = recorder.invoke_basket(part, recorder.take_process(), "b" + sku, items);
        recorder.ok(5, basket);
    }
    const History merged = merge_histories(std::move(parts));
    EXPECT_EQ(describe(merged), (std::vector<std::string>{
                                    "0 0 invoke basket - bSKU-0 0 [1 SKU-9] [2 SKU-0]",
                                    "1 1 invoke basket - bSKU-1 0 [1 SKU-9] [2 SKU-1]",
                                    "5 0 ok basket - bSKU-0 0 [1 SKU-9] [2 SKU-0]",
                                    "5 1 ok basket - bSKU-1 0 [1 SKU-9] [2 SKU-1]",
                                }));
    EXPECT_EQ(merged.baskets.size(), 2u);
}

TEST(Recorder, ProcessNumbersAreReusedButNeverShared) {
    History first_history;
    History second_history;
    Recorder first(first_history, 0, 2);
    Recorder second(second_history, 1, 2);
    const TextId zero = first.take_process();
    const TextId two = first.take_process();
    EXPECT_EQ(first_history.texts.text(zero), "0");
    EXPECT_EQ(first_history.texts.text(two), "2");
    EXPECT_EQ(second_history.texts.text(second.take_process()), "1");
    first.give_back(zero);
    EXPECT_EQ(first.take_process(), zero);
    EXPECT_EQ(first_history.texts.text(first.take_process()), "4");
}

TEST(Recorder, MergedHistoriesAreInTimeAndEachProcessInItsOrder) {
    std::vector<History> parts(3);
    for (std::uint32_t part = 0; part < 3; ++part) {
        History& history = parts[part];
        history.scenario = "flash";
        history.initial_stock.emplace_back(history.texts.intern("SKU-9"), 20);
        Recorder recorder(history, part, 3);
        const TextId process = recorder.take_process();
        for (std::int64_t i = 0; i < 5; ++i) {
            const std::string key = "k" + std::to_string(part) + std::to_string(i);
            // The same times in all parts, and an operation that takes no time.
            const auto operation =
                recorder.invoke(10 * i, process, Function::reserve, "SKU-1", key, i);
            recorder.ok(10 * i, operation);
        }
    }
    const History merged = merge_histories(std::move(parts));
    EXPECT_EQ(merged.scenario, "flash");
    ASSERT_EQ(merged.initial_stock.size(), 1u);
    EXPECT_EQ(merged.texts.text(merged.initial_stock[0].first), "SKU-9");
    ASSERT_EQ(merged.events.size(), 30u);
    EXPECT_TRUE(std::is_sorted(merged.events.begin(), merged.events.end(),
                               [](const Event& a, const Event& b) { return a.time < b.time; }));
    for (const char* process : {"0", "1", "2"}) {
        std::vector<std::string> lines;
        for (const Event& event : merged.events) {
            if (merged.texts.text(event.process) == process) {
                lines.push_back(describe(merged, event));
            }
        }
        ASSERT_EQ(lines.size(), 10u);
        const std::string key = std::string(" reserve SKU-1 k") + process;
        EXPECT_EQ(lines[4], std::string("20 ") + process + " invoke" + key + "2 2");
        EXPECT_EQ(lines[5], std::string("20 ") + process + " ok" + key + "2 2");
    }
    // Numbers of texts are given in order of first appearance.
    EXPECT_EQ(merged.texts.text(0), "SKU-9");
    EXPECT_EQ(merged.texts.text(1), "0");
}

}  // namespace
}  // namespace rushproof::simulator
