// Goal: editors that follow the JSON Schema agree with the parser about the scenarios that we ship
// and about common mistakes.
// Method: YAML is turned into JSON by the YAML 1.2 core schema and judged by a validator that we
// did not write.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "simulator/scenario/schema.hpp"
#include "simulator/scenario/tests/example.hpp"
#include "simulator/scenario/yaml_tree.hpp"

namespace rushproof::simulator {
namespace {

namespace json = boost::json;

json::value scalar_to_json(const Node& node) {
    const std::string& text = node.text;
    if (node.quoted) { return json::string(text); }
    if (text == "true" || text == "false") { return text == "true"; }
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(text.data(), end, whole);
        read.ec == std::errc{} && read.ptr == end) {
        return whole;
    }
    double number = 0;
    if (const auto read = std::from_chars(text.data(), end, number);
        read.ec == std::errc{} && read.ptr == end) {
        return number;
    }
    return json::string(text);
}

json::value to_json(const Node& node) {
    if (node.kind == Node::Kind::scalar) { return scalar_to_json(node); }
    if (node.kind == Node::Kind::list) {
        json::array array;
        for (const auto& item : node.items) { array.push_back(to_json(item)); }
        return array;
    }
    if (node.kind == Node::Kind::map) {
        json::object object;
        for (const auto& entry : node.entries) { object[entry.key] = to_json(entry.value); }
        return object;
    }
    return nullptr;
}

class SchemaTest : public testing::Test {
protected:
    SchemaTest() {
        valijson::SchemaParser parser;
        const valijson::adapters::BoostJsonAdapter adapter(document_);
        parser.populateSchema(adapter, schema_);
    }

    // What the validator says; "" when it agrees.
    std::string complaint(std::string_view yaml) {
        const auto tree = read_yaml(yaml, 0);
        if (!tree) { return "not YAML"; }
        const json::value value = to_json(*tree);
        valijson::Validator validator;
        valijson::ValidationResults results;
        const valijson::adapters::BoostJsonAdapter adapter(value);
        if (validator.validate(schema_, adapter, &results)) { return ""; }
        std::string text;
        valijson::ValidationResults::Error error;
        while (results.popError(error)) {
            for (const auto& part : error.context) { text += part; }
            text += ": " + error.description + '\n';
        }
        return text;
    }

private:
    json::value document_ = json::parse(scenario_json_schema());
    valijson::Schema schema_;
};

TEST_F(SchemaTest, AcceptsEveryShippedScenario) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios")) {
        if (entry.path().extension() != ".yaml") { continue; }
        std::ifstream file(entry.path());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        EXPECT_EQ(complaint(text), "") << entry.path();
        ++files;
    }
    EXPECT_GE(files, 5u);
}

TEST_F(SchemaTest, AgreesWithTheParserThatTheseAreCorrect) {
    for (const std::string& lines : {
             std::string(),
             std::string("system: {services: {gateway: 2}, reservation-ttl: 1m30s}\n"),
             std::string("strategy: {matrix: {n: [1, 2], exclude: [{n: 2}]}}\n"
                         "system: {services: {gateway: \"${{ matrix.n }}\"}}\n"),
             std::string("seeds: [1, 3..5]\n"),
             std::string("schedule: {pick: pct, depth: 2}\n"),
             std::string(
                 "timeline: [{at: 1s, for: 1s, fault: {kind: pause}}, {at: 2s, phase: x}]\n"),
             std::string(
                 "swarm: {duration: 1s, kinds: [kill, latency: {delay: {min: 1ms, max: 2ms}}]}\n"),
             std::string("thresholds: {reserve.latency: [p(99) < 1s, {expr: max < 2s}]}\n"),
         }) {
        EXPECT_EQ(errors_of(example_head + lines), "") << lines;
        EXPECT_EQ(complaint(example_head + lines), "") << lines;
    }
}

TEST_F(SchemaTest, AgreesWithTheParserThatTheseAreWrong) {
    for (const std::string& lines : {
             std::string("queue: memory\n"),
             std::string("mode: simulated\n"),
             std::string("description: 5\n"),
             std::string("seed: 1\nseeds: 2\n"),
             std::string("seeds: 1-5\n"),
             std::string("system: {reservation-ttl: 80}\n"),
             std::string("system: {services: {gateway: 17}}\n"),
             std::string("system: {services: {gateway: two}}\n"),
             std::string("popularity: {dist: uniform, s: 1.1}\n"),
             std::string("popularity: {dist: fixed}\n"),
             std::string("timeline: [{at: 1s}]\n"),
             std::string("timeline: [{at: 1s, phase: x, fault: {kind: kill}}]\n"),
             std::string("timeline: [{at: 1s, fault: {kind: kill, delay: 1s}}]\n"),
             std::string("swarm: {duration: 1s, kinds: [kil]}\n"),
             std::string("swarm: {duration: 1s, kinds: [{kill: {}, stop: {}}]}\n"),
             std::string("thresholds: {reserve.latancy: p(99) < 1s}\n"),
             std::string("expect: [{fail: [no-overselling]}]\n"),
         }) {
        EXPECT_NE(errors_of(example_head + lines), "") << lines;
        EXPECT_NE(complaint(example_head + lines), "") << lines;
    }
}

}  // namespace
}  // namespace rushproof::simulator
