// Goal: the judge runs what applies, merges verdicts so that fail beats unknown beats pass, and
// never counts what was not judged as passed.
// Method: small histories; names that apply, do not apply and do not exist.
#include <gtest/gtest.h>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/tests/story.hpp"

namespace rushproof::simulator {
namespace {

std::vector<std::string> names_of(const Judgement& judgement) {
    std::vector<std::string> names;
    for (const CheckResult& result : judgement.results) names.push_back(result.name);
    return names;
}

TEST(Judge, RunsWhatApplies) {
    Story story;
    story.reserve(1, 2, "r-1", 1);
    const Judgement judgement = *judge(story.history(), {}, {});
    EXPECT_EQ(judgement.verdict, Verdict::pass);
    EXPECT_EQ(names_of(judgement),
              (std::vector<std::string>{"no-oversell", "linearizable", "progress"}));
}

TEST(Judge, QueuesHaveTheirOwnChecks) {
    Story story("\"seed\":1");
    story.enqueue(1, 2, "m-1", "k").process(3, "m-1", "k");
    const Judgement judgement = *judge(story.history(), {}, {});
    EXPECT_EQ(judgement.verdict, Verdict::pass);
    EXPECT_EQ(names_of(judgement),
              (std::vector<std::string>{"accepted-is-processed", "per-key-order", "progress"}));
}

TEST(Judge, FailBeatsUnknownBeatsPass) {
    Story story;
    story.reserve(1, 2, "r-1", 1);
    EXPECT_EQ(judge(story.history(), {"no-oversell", "conservation"}, {})->verdict,
              Verdict::unknown);
    story.reserve(3, 4, "r-2", 2);
    EXPECT_EQ(judge(story.history(), {"no-oversell", "conservation"}, {})->verdict, Verdict::fail);
}

TEST(Judge, WhatDoesNotApplyIsUnknown) {
    Story story;
    story.reserve(1, 2, "r-1", 1);
    const Judgement judgement = *judge(story.history(), {"conservation"}, {});
    EXPECT_EQ(judgement.results.front().sentence,
              "the history contains nothing that this check speaks of");
    EXPECT_EQ(judge(History(), {}, {})->verdict, Verdict::unknown);
}

TEST(Judge, UnknownNamesAreRefused) {
    const auto judgement = judge(History(), {"no-overselling"}, {});
    ASSERT_FALSE(judgement.has_value());
    EXPECT_EQ(judgement.error().message(),
              "there is no check \"no-overselling\": choose from no-oversell conservation "
              "acknowledged-survives all-or-nothing lifecycle linearizable idempotent "
              "read-your-writes accepted-is-processed per-key-order switch-loses-nothing "
              "dual-write-divergence delivery progress");
}

TEST(Judge, EveryCheckHasAPromise) {
    for (const Checker& checker : checkers()) {
        EXPECT_FALSE(checker.promise.empty());
        EXPECT_EQ(find_checker(checker.name), &checker);
    }
    EXPECT_EQ(find_checker("no-such"), nullptr);
}

}  // namespace
}  // namespace rushproof::simulator
