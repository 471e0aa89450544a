// Goal: no text crashes the reader or makes it slow, and what YAML allows but people should not use
// is refused with its place.
// Method: hostile texts, and the exact answers to them.
#include "simulator/scenario/yaml_tree.hpp"

#include <gtest/gtest.h>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {
namespace {

std::string error_of(std::string_view text) {
    const auto tree = read_yaml(text, 0);
    if (tree) { return ""; }
    const auto& [place, problem] = tree.error();
    return std::to_string(place.at.line) + ':' + std::to_string(place.at.column) + ": " +
           problem.message + (problem.hint.empty() ? "" : " | " + problem.hint);
}

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int round = 0; round < times; ++round) { out += text; }
    return out;
}

TEST(YamlTree, KeepsTextsOrderAndPlaces) {
    const auto tree = read_yaml("b: 1\na:\n  - x\n  - \"no\"\n  -\n  - {c: d}\n", 3);
    ASSERT_TRUE(tree);
    ASSERT_EQ(tree->entries.size(), 2u);
    EXPECT_EQ(tree->entries[0].key, "b");
    EXPECT_EQ(tree->entries[0].key_place, (Place{3, {1, 1}}));
    EXPECT_EQ(tree->entries[0].value.place, (Place{3, {1, 4}}));
    const auto& items = tree->entries[1].value.items;
    ASSERT_EQ(items.size(), 4u);
    EXPECT_FALSE(items[0].quoted);
    EXPECT_TRUE(items[1].quoted);
    EXPECT_EQ(items[2].kind, Node::Kind::empty);
    EXPECT_EQ(items[3].entries[0].value.place, (Place{3, {6, 9}}));
}

TEST(YamlTree, AliasesAreCopies) {
    const auto tree = read_yaml("a: &x {k: v}\nb: *x\n", 0);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->find("b")->find("k")->text, "v");
    EXPECT_EQ(tree->find("b")->find("k")->place.at.line, 1);
}

TEST(YamlTree, RefusesWhatPeopleShouldNotUse) {
    EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"),
              "3:1: the key \"a\" stands here twice | it is on line 1 already");
    EXPECT_EQ(error_of("a: !!int 3\n"),
              "1:4: tags such as \"tag:yaml.org,2002:int\" are not supported | leave "
              "it out");
    EXPECT_EQ(error_of("a: &x {k: v}\nb: {<<: *x}\n"),
              "2:5: merge keys (<<) are not supported | repeat the keys");
    EXPECT_EQ(error_of("? [a, b]\n: c\n"),
              "1:3: a key must be a word | is a word missing before the colon?");
    EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"),
              "2:1: a second document begins here | one scenario a file");
    EXPECT_EQ(error_of("a: &x [*x]\n"), "1:8: this alias refers to something that contains it");
    EXPECT_EQ(error_of(repeated("k", 129) + ": 1\n"),
              "1:1: this key is too long | at most 128 bytes");
    EXPECT_EQ(error_of("a: " + repeated("x", 4097) + "\n"),
              "1:4: this text is too long | at most 4096 bytes");
}

TEST(YamlTree, SaysWhereItIsNotYaml) {
    EXPECT_EQ(error_of("a: [1, 2\nb: 3\n").substr(0, 4), "2:2:");
    EXPECT_EQ(error_of("a: *nobody\n"), "1:4: not YAML: the referenced anchor is not defined");
    EXPECT_NE(error_of("a:\n\tb: 1\n").find("indent with spaces, not with tabs"),
              std::string::npos);
}

TEST(YamlTree, RefusesBytesThatAreNoText) {
    EXPECT_EQ(error_of(std::string_view("a: 1\nb: \0\n", 10)),
              "2:4: a control character stands here | save the file as plain UTF-8 text");
    EXPECT_EQ(error_of("a: \x04\n").substr(0, 6), "1:4: a");
    EXPECT_EQ(error_of("\xFF\xFE"), "1:1: this is not UTF-8 | save the file as plain UTF-8 text");
    for (const auto* const text :
         {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3"}) {
        EXPECT_EQ(error_of(text).substr(0, 8), "1:1: thi") << text;
    }
    EXPECT_EQ(error_of("\xEF\xBB\xBF"
                       "a: \xC3\xA4\xE2\x82\xAC\xF0\x9F\x99\x82\n"),
              "");
}

TEST(YamlTree, SizeAndDepthAreBounded) {
    EXPECT_EQ(error_of(repeated("# comment\n", 30'000)),
              "1:1: the text is too large | at most 262144 bytes");
    EXPECT_EQ(error_of(repeated("[", 100'000)).substr(0, 40),
              "1:97: too many brackets are open here | ");
    EXPECT_EQ(error_of(repeated("- ", 100'000)), "1:49: nested too deeply | at most 24 levels");
    EXPECT_EQ(error_of(repeated("[", 40) + repeated("]", 40)),
              "1:25: nested too deeply | at most 24 levels");
}

TEST(YamlTree, AliasesCannotBlowUp) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int level = 1; level < 12; ++level) {
        const std::string before = "*a" + std::to_string(level - 1);
        text += 'a' + std::to_string(level) + ": &a" + std::to_string(level) + " [" +
                repeated(before + ", ", 9) + before + "]\n";
    }
    EXPECT_NE(error_of(text).find("the file is too large with its aliases filled in"),
              std::string::npos);
    std::string deep = "a0: &a0 [x]\n";
    for (int level = 1; level < 30; ++level) {
        deep += 'a' + std::to_string(level) + ": &a" + std::to_string(level) + " [*a" +
                std::to_string(level - 1) + "]\n";
    }
    EXPECT_NE(error_of(deep).find("nested too deeply"), std::string::npos);
}

TEST(YamlTree, PathsPreferTheLongestKey) {
    const auto tree = read_yaml("thresholds: {reserve.latency: [{expr: x}], reserve: {y: z}}\n", 0);
    ASSERT_TRUE(tree);
    const auto found = find_path(*tree, "thresholds.reserve.latency.0.expr");
    EXPECT_EQ(found.node->text, "x");
    EXPECT_EQ(found.rest, "");
    const auto part = find_path(*tree, "thresholds.reserve.latency.1.expr");
    EXPECT_EQ(part.reached, "thresholds.reserve.latency");
    EXPECT_EQ(part.rest, "1.expr");
}

}  // namespace
}  // namespace rushproof::simulator
