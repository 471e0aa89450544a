// Goal: long histories with many clients, many of them pending at once, are judged right.
// Method: generated histories of a correct service pass; with one wrong answer they fail there.
#include <gtest/gtest.h>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/frontier.hpp"
#include "simulator/checkers/tests/history_generator.hpp"

namespace rushproof::simulator {
namespace {

CheckResult judge(const GeneratorOptions& options) {
    return find_checker("linearizable")->check(generate_history(options), {});
}

TEST(Size, CorrectHistoriesPass) {
    const std::vector<GeneratorOptions> cases{
        {.operations = 20'000},
        {.operations = 20'000, .clients = 48, .stock = 40, .quantity_max = 3},
        {.operations = 20'000, .stock = 40, .quantity_max = 2, .reads = 200'000},
        {.operations = 5'000, .clients = 200, .stock = 150},
        {.operations = 2'000, .clients = 400, .stock = 100},
        {.operations = 20'000, .unknown = 10'000},
        {.operations = 20'000, .reads = 100'000, .unknown = 10'000},
        {.operations = 20'000, .reads = 100'000, .unknown = 10'000, .audited = true},
        {.operations = 5'000, .stock = 60, .quantity_max = 2, .reads = 50'000, .unknown = 20'000},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            GeneratorOptions options = cases[i];
            options.seed = seed;
            const CheckResult result = judge(options);
            EXPECT_EQ(result.verdict, Verdict::pass)
                << "case " << i << " seed " << seed << ": " << result.sentence;
        }
    }
}

TEST(Size, OneWrongAnswerIsFound) {
    for (const std::uint32_t clients : {16u, 100u}) {
        std::uint64_t found = 0;
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            const CheckResult result = judge({.operations = 5'000,
                                              .clients = clients,
                                              .stock = clients,
                                              .reads = 1'000'000,
                                              .wrong_from = 3'000,
                                              .seed = seed});
            if (result.verdict == Verdict::fail) ++found;
        }
        // Only reads: nothing ever changes what is available.
        EXPECT_EQ(found, 10u);
    }
}

TEST(Size, TheWideSearchFindsTheSame) {
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const History history = generate_history({.operations = 4'000,
                                                  .clients = 40,
                                                  .stock = 30,
                                                  .reads = 100'000,
                                                  .wrong_from = 2'000,
                                                  .seed = seed});
        const StockHistories stock = collect_stock(history);
        const FrontierResult narrow = search_frontier(stock.skus.front(), {});
        const FrontierResult wide = search_frontier(stock.skus.front(), {.words = 4});
        EXPECT_EQ(wide.verdict, narrow.verdict);
        EXPECT_EQ(wide.operation, narrow.operation);
        if (narrow.verdict == Verdict::fail) ++found;
    }
    EXPECT_GE(found, 3u);
    EXPECT_LE(found, 9u);
}

// Reservations that each came back, of which nobody knows when: as of clients that all gave up
// waiting.  In the middle of it one unit is taken for good.
StockHistory late_evidence(std::int64_t initial, std::int64_t pairs) {
    StockHistory sku;
    sku.initial = initial;
    const auto add = [&](std::int64_t call, std::int64_t deadline, Effect effect) {
        StockOperation& operation = sku.operations.emplace_back();
        operation.call = call;
        operation.deadline = deadline;
        operation.amount = 1;
        operation.effect = effect;
        operation.certain = true;
        return static_cast<std::uint32_t>(sku.operations.size() - 1);
    };
    for (std::int64_t i = 0; i < pairs; ++i) {
        StockPair pair;
        pair.take = add(i, 10'000 + i, Effect::take);
        pair.give = add(i + 1, 20'000 + i, Effect::give);
        sku.operations[pair.take].paired = true;
        sku.operations[pair.give].paired = true;
        sku.pairs.push_back(pair);
    }
    add(pairs, 9'999, Effect::take);
    return sku;
}

TEST(Size, PairsCostLittleWhileThereIsRoom) {
    const FrontierResult found = search_frontier(late_evidence(1'000, 500), {});
    EXPECT_EQ(found.verdict, Verdict::pass) << found.reason;
    EXPECT_LT(found.steps, 100'000u);
}

TEST(Size, GivesUpSoonAfterItsBudget) {
    constexpr std::uint64_t budget = 1'000'000;
    const FrontierResult found = search_frontier(late_evidence(20, 60), {.steps_max = budget});
    EXPECT_EQ(found.verdict, Verdict::unknown);
    EXPECT_LT(found.steps, 2 * budget);
}

TEST(Size, MorePendingThanTheSearchHoldsIsUnknown) {
    History history;
    const TextId sku = history.texts.intern("SKU-1");
    history.initial_stock.emplace_back(sku, 5'000);
    for (int i = 0; i < 5'000; ++i) {
        history.events.push_back({.amount = 1,
                                  .process = history.texts.intern(std::to_string(i)),
                                  .key = sku,
                                  .subject = history.texts.intern("r-" + std::to_string(i))});
    }
    for (int i = 0; i < 5'000; ++i) {
        history.events.push_back(history.events[static_cast<std::size_t>(i)]);
        history.events.back().time = 1;
        history.events.back().type = EventType::ok;
    }
    const CheckResult result = find_checker("linearizable")->check(history, {});
    EXPECT_EQ(result.verdict, Verdict::unknown);
    EXPECT_EQ(result.sentence, "SKU-1: more than 4096 operations were under way at once");
}

}  // namespace
}  // namespace rushproof::simulator
