// Goal: the frontier search is exact.
// Method: random small histories against brute force over all orders; RUSHPROOF_HISTORIES
// says how many.  No order explains a history if and only if linearizable or lifecycle fail.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/frontier.hpp"
#include "simulator/checkers/tests/random_history.hpp"
#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {
namespace {

std::uint64_t history_count() {
    const char* text = std::getenv("RUSHPROOF_HISTORIES");
    return text == nullptr ? 100'000 : std::strtoull(text, nullptr, 10);
}

std::string as_json(const History& history) {
    std::ostringstream output;
    write_history_json(history, output);
    return output.str();
}

CheckResult check(std::string_view name, const History& history) {
    return find_checker(name)->check(history, {});
}

TEST(Agreement, WithBruteForce) {
    const std::uint64_t count = history_count();
    std::uint64_t illegal = 0;
    std::uint64_t oversold = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        RandomStream random = keyed_stream(7, "agreement", i);
        const RandomHistory made = make_random_history(random);
        const CheckResult linearizable = check("linearizable", made.history);
        const CheckResult lifecycle = check("lifecycle", made.history);
        const bool passed =
            linearizable.verdict == Verdict::pass && lifecycle.verdict == Verdict::pass;
        ASSERT_EQ(passed, made.explainable) << "history " << i << "\n"
                                            << linearizable.sentence << "\n"
                                            << lifecycle.sentence << "\n"
                                            << as_json(made.history);
        const bool oversell = check("no-oversell", made.history).verdict == Verdict::fail;
        ASSERT_FALSE(oversell && made.explainable) << "history " << i << as_json(made.history);
        if (!made.explainable) ++illegal;
        if (oversell) ++oversold;
    }
    EXPECT_GE(illegal * 5, count) << illegal << " of " << count;
    EXPECT_GE((count - illegal) * 5, count) << illegal << " of " << count;
    EXPECT_GT(oversold, 0u);
    RecordProperty("illegal", std::to_string(illegal));
    RecordProperty("oversold", std::to_string(oversold));
    std::cout << count << " histories, " << illegal << " of them illegal, " << oversold
              << " oversold\n";
}

TEST(Agreement, WideMasksJudgeAlike) {
    for (std::uint64_t i = 0; i < history_count() / 10; ++i) {
        RandomStream random = keyed_stream(8, "wide", i);
        const RandomHistory made = make_random_history(random);
        for (const StockHistory& sku : collect_stock(made.history).skus) {
            const FrontierResult narrow = search_frontier(sku, {});
            for (const std::size_t words : {4u, 64u}) {
                const FrontierResult wide = search_frontier(sku, {.words = words});
                ASSERT_EQ(wide.verdict, narrow.verdict) << as_json(made.history);
                ASSERT_EQ(wide.operation, narrow.operation);
                ASSERT_EQ(wide.expansions, narrow.expansions);
            }
        }
    }
}

}  // namespace
}  // namespace rushproof::simulator
