// Goal: the JSON Schema, the reference in docs/scenario.md and what `validate` draws are what the
// repository says they are, and every scenario that we ship is correct.
// Method: each text is compared with a file.  RUSHPROOF_REBASELINE=1 writes the files instead; the
// difference is then reviewed like any other.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "simulator/scenario/draw.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/scenario/schema.hpp"

namespace rushproof::simulator {
namespace {

// Tests run in the repository's root.
std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void expect_golden(const std::filesystem::path& path, const std::string& text) {
    if (std::getenv("RUSHPROOF_REBASELINE") != nullptr) {
        std::ofstream(path, std::ios::binary) << text;
    }
    EXPECT_EQ(read_file(path), text) << "RUSHPROOF_REBASELINE=1 writes " << path;
}

std::set<std::filesystem::path> shipped() {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios")) {
        if (entry.path().extension() == ".yaml") { files.insert(entry.path()); }
    }
    return files;
}

ParsedFile parse_file(const std::filesystem::path& path, std::vector<std::string> overrides = {}) {
    auto parsed = parse_scenario(read_file(path), {path.string(), std::move(overrides)});
    if (parsed) { return *std::move(parsed); }
    for (const auto& error : parsed.error()) { ADD_FAILURE() << to_string(error); }
    return {};
}

TEST(Golden, JsonSchema) {
    expect_golden("scenarios/schema/scenario-1.json", scenario_json_schema());
}

TEST(Golden, ReferenceInTheDocument) {
    const std::filesystem::path path = "docs/scenario.md";
    const std::string begin = "<!-- reference: generated, see tests/golden -->\n";
    const std::string document = read_file(path);
    const auto at = document.find(begin);
    ASSERT_NE(at, std::string::npos) << path << " has lost the line " << begin;
    expect_golden(path, document.substr(0, at) + begin + '\n' + scenario_reference());
}

// The ```yaml blocks of the document, each as a whole file: what a fragment lacks is added.
std::vector<std::string> examples_in(const std::string& document) {
    const std::string begin = "```yaml\n";
    const std::vector<std::pair<std::string, std::string>> needed{
        {"rushproof", "1"},
        {"title", "x"},
        {"stock", "{skus: 5}"},
        {"load", "{buyers: {executor: constant-vus, vus: 3, journey: buy}}"},
        {"journeys", "{buy: [reserve]}"},
        {"checks", "[no-oversell]"},
    };
    std::vector<std::string> examples;
    for (auto at = document.find(begin); at != document.npos; at = document.find(begin, at + 1)) {
        const auto first = at + begin.size();
        std::string text = document.substr(first, document.find("```", first) - first);
        for (const auto& [key, value] : needed) {
            const bool present = ('\n' + text).find('\n' + key + ':') != text.npos;
            if (!present) { text += key + ": " + value + '\n'; }
        }
        examples.push_back(std::move(text));
    }
    return examples;
}

TEST(Document, ItsExamplesAreCorrect) {
    const auto examples = examples_in(read_file("docs/scenario.md"));
    EXPECT_EQ(examples.size(), 6u);
    for (const auto& text : examples) {
        const auto parsed = parse_scenario(text, {"example", {}});
        if (parsed) { continue; }
        for (const auto& error : parsed.error()) {
            ADD_FAILURE() << to_string(error) << '\n' << text;
        }
    }
}

TEST(Golden, Drawings) {
    for (const std::string name : {"flash-sale", "swarm"}) {
        const auto parsed = parse_file("scenarios/fast/" + name + ".yaml");
        ASSERT_FALSE(parsed.scenarios.empty());
        expect_golden("tests/golden/validate-" + name + ".txt", draw_scenario(parsed));
    }
}

TEST(Shipped, EveryScenarioIsCorrectAndHasNoWarnings) {
    const auto files = shipped();
    EXPECT_GE(files.size(), 5u);
    for (const auto& path : files) {
        for (const auto& warning : parse_file(path).warnings) {
            ADD_FAILURE() << to_string(warning);
        }
    }
}

TEST(Shipped, EditorsFindTheSchemaOfEveryScenario) {
    const std::string prefix = "# yaml-language-server: $schema=";
    for (const auto& path : shipped()) {
        const std::string text = read_file(path);
        ASSERT_TRUE(text.starts_with(prefix)) << path;
        const auto target = text.substr(prefix.size(), text.find('\n') - prefix.size());
        EXPECT_TRUE(std::filesystem::exists(path.parent_path() / target)) << path << ": " << target;
    }
}

TEST(Shipped, EveryDrawingFitsIntoItsColumns) {
    for (const auto& path : shipped()) {
        const auto parsed = parse_file(path);
        for (const int width : {80, 100, 140}) {
            std::string_view rest = "";
            const std::string drawing = draw_scenario(parsed, {width, 0});
            for (rest = drawing; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
                EXPECT_LE(rest.find('\n'), static_cast<std::size_t>(width))
                    << rest.substr(0, rest.find('\n'));
            }
        }
    }
}

TEST(Shipped, TheFlashSaleCanAlsoRunLive) {
    const auto parsed = parse_file(
        "scenarios/fast/flash-sale.yaml",
        {"mode=live", "duration=8s", "seeds=1", "strategy.matrix.reservation=[conditional]"});
    ASSERT_EQ(parsed.scenarios.size(), 1u);
    EXPECT_EQ(parsed.scenarios[0].mode, Mode::live);
    EXPECT_FALSE(parsed.scenarios[0].timeline.empty());
}

}  // namespace
}  // namespace rushproof::simulator
