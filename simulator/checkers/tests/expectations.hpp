// What a check must say about a story.
#pragma once
#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/tests/story.hpp"

namespace rushproof::simulator {

inline CheckResult check(std::string_view name, const Story& story,
                         const CheckOptions& options = {}) {
    const History history = story.history();
    const auto judgement = judge(history, {std::string(name)}, options);
    EXPECT_TRUE(judgement.has_value());
    EXPECT_EQ(judgement->results.size(), 1u);
    return judgement->results.front();
}

inline void expect_pass(std::string_view name, const Story& story,
                        const CheckOptions& options = {}) {
    const CheckResult result = check(name, story, options);
    EXPECT_EQ(result.verdict, Verdict::pass) << result.sentence;
    EXPECT_FALSE(result.sentence.empty());
    EXPECT_TRUE(result.witness.empty());
    EXPECT_EQ(result.violations, 0u);
}

inline void expect_fail(std::string_view name, const Story& story, std::string_view sentence,
                        const std::vector<std::string>& witness, const CheckOptions& options = {}) {
    const CheckResult result = check(name, story, options);
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_EQ(result.sentence, sentence);
    EXPECT_EQ(describe_witness(story.history(), result), witness);
    EXPECT_GE(result.violations, 1u);
}

inline void expect_unknown(std::string_view name, const Story& story, std::string_view sentence,
                           const CheckOptions& options = {}) {
    const CheckResult result = check(name, story, options);
    EXPECT_EQ(result.verdict, Verdict::unknown);
    EXPECT_EQ(result.sentence, sentence);
}

}  // namespace rushproof::simulator
