// Goal: docs/history.md shows what the reader reads and the judge judges.
// Method: its example is read and judged; its table of checks is compared with the program's.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "simulator/checkers/checker.hpp"
#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {
namespace {

std::string page() {
    std::ifstream file("docs/history.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string example() {
    const std::string text = page();
    const std::string fence = "```jsonl\n";
    const std::size_t begin = text.find(fence);
    if (begin == std::string::npos) return {};
    const std::size_t first = begin + fence.size();
    return text.substr(first, text.find("```", first) - first);
}

TEST(Documentation, TheExamplePasses) {
    const auto history = parse_history_json(example());
    ASSERT_TRUE(history.has_value()) << history.error().message();
    const Judgement judgement = *judge(*history, {}, {});
    EXPECT_EQ(judgement.verdict, Verdict::pass);
    for (const CheckResult& result : judgement.results) {
        EXPECT_EQ(result.verdict, Verdict::pass) << result.name << ": " << result.sentence;
    }
    EXPECT_EQ(judgement.results.size(), 7u);
}

TEST(Documentation, TheExampleNeedsItsEvidence) {
    std::string text = example();
    const std::size_t line = text.find("{\"index\":11,");
    text.erase(line, text.find('\n', line) + 1 - line);
    const auto history = parse_history_json(text);
    ASSERT_TRUE(history.has_value());
    EXPECT_EQ(judge(*history, {"linearizable"}, {})->verdict, Verdict::fail);
}

TEST(Documentation, EveryCheckIsInTheTable) {
    const std::string text = page();
    for (const Checker& checker : checkers()) {
        const std::string row =
            "| `" + std::string(checker.name) + "` | " + std::string(checker.promise) + " |";
        EXPECT_NE(text.find(row), std::string::npos) << row;
    }
}

}  // namespace
}  // namespace rushproof::simulator
