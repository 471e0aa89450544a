// A small scenario for tests to break, and the shortest way to see what the parser says.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "simulator/scenario/parser.hpp"

namespace rushproof::simulator {

// Everything that a file must have; line 4 is the stock, line 5 the load.
inline const std::string example_head =
    "rushproof: 1\n"
    "title: Example\n"
    "duration: 20s\n"
    "stock: {skus: 5, units: 10}\n"
    "load: {buyers: {executor: constant-vus, vus: 3, journey: buy}}\n"
    "journeys: {buy: [{reserve: {}}, {choose: {confirm: 1}}]}\n"
    "checks: [no-oversell]\n";

inline tl::expected<ParsedFile, std::vector<Diagnostic>> parse(
    std::string_view text, std::vector<std::string> overrides = {}) {
    return parse_scenario(text, {"x.yaml", std::move(overrides)});
}

// All errors, one "x.yaml:line:column: message | hint" a line; "" when there are none.
inline std::string errors_of(std::string_view text, std::vector<std::string> overrides = {}) {
    const auto parsed = parse(text, std::move(overrides));
    std::string out;
    if (parsed) { return out; }
    for (const auto& error : parsed.error()) {
        std::string line = to_string(error);
        if (const auto at = line.find("\n    "); at != line.npos) { line.replace(at, 5, " | "); }
        out += (out.empty() ? "" : "\n") + line;
    }
    return out;
}

// The only cell; the text must be right.
inline Scenario scenario_of(std::string_view text, std::vector<std::string> overrides = {}) {
    auto parsed = parse(text, std::move(overrides));
    return parsed ? std::move(parsed->scenarios.front()) : Scenario{};
}

}  // namespace rushproof::simulator
