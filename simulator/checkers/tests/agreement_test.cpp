// Goal: the frontier search is exact.
// Method: random small histories against brute force over all orders; RUSHPROOF_HISTORIES
// says how many.  No order explains a history if and only if linearizable or lifecycle fail.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <sstream>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/frontier.hpp"
#include "simulator/checkers/operations.hpp"
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

// What makes histories hard.
struct Counts {
    std::uint64_t illegal = 0;
    std::uint64_t oversold = 0;
    std::uint64_t with_unknowns = 0;
    std::uint64_t with_mixed_quantities = 0;
    std::uint64_t with_ties = 0;

    void add(const History& history) {
        bool unknown = false;
        bool mixed = false;
        bool tie = false;
        std::int64_t quantity = 0;
        for_each_operation(history, [&](const Operation& operation) {
            const Event& event = history.events[operation.invoked];
            if (operation.outcome == Outcome::unknown) unknown = true;
            if (event.function != Function::reserve) return;
            if (quantity != 0 && quantity != event.amount) mixed = true;
            quantity = event.amount;
        });
        for (std::size_t i = 1; i < history.events.size(); ++i) {
            if (history.events[i - 1].time == history.events[i].time) tie = true;
        }
        if (unknown) ++with_unknowns;
        if (mixed) ++with_mixed_quantities;
        if (tie) ++with_ties;
    }
};

TEST(Agreement, WithBruteForce) {
    const std::uint64_t count = history_count();
    Counts counts;
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
        if (!made.explainable) ++counts.illegal;
        if (oversell) ++counts.oversold;
        counts.add(made.history);
    }
    const std::uint64_t enough = count / 5;
    EXPECT_GE(counts.illegal, enough);
    EXPECT_GE(count - counts.illegal, enough);
    EXPECT_GE(counts.with_unknowns, enough);
    EXPECT_GE(counts.with_mixed_quantities, enough);
    EXPECT_GE(counts.with_ties, enough);
    EXPECT_GT(counts.oversold, 0u);
    std::cout << count << " histories: " << counts.illegal << " illegal, " << counts.oversold
              << " oversold, " << counts.with_unknowns << " with unknown outcomes, "
              << counts.with_mixed_quantities << " with mixed quantities, " << counts.with_ties
              << " with equal times\n";
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
                ASSERT_EQ(wide.steps, narrow.steps);
            }
        }
    }
}

}  // namespace
}  // namespace rushproof::simulator
