#include "simulator/scenario/parser.hpp"

#include <algorithm>
#include <map>

#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/matrix.hpp"
#include "simulator/scenario/validate.hpp"

namespace rushproof::simulator {

namespace {

// Another format has other keys, so nothing else is worth reporting.
bool check_version(const Node& root, Reader& reader) {
    const Node* const version = root.find("rushproof");
    const std::string ours = std::to_string(format_version);
    if (version == nullptr || version->text == ours) { return true; }
    reader.error(version->place, "format version " + describe(*version) + " is not supported",
                 "this program reads rushproof: " + ours);
    return false;
}

Strategy read_strategy(const Node& root, Reader& reader) {
    Strategy strategy;
    const Node* const node = root.find("strategy");
    if (node == nullptr) { return strategy; }
    const Reader::Scope scope(reader, "strategy");
    strategy_type().read(reader, *node, strategy);
    return strategy;
}

std::vector<Cell> read_cells(const Node& root, const Strategy& strategy, Reader& reader) {
    auto cells = expand_matrix(strategy);
    if (cells.empty()) {
        reader.error_at(root, "strategy.matrix.exclude", "every cell of the matrix is left out");
    }
    if (cells.size() > limits::cells_max) {
        reader.error_at(root, "strategy.matrix", "the matrix has too many cells",
                        "at most " + std::to_string(limits::cells_max));
    }
    return cells;
}

// Faults without a name are kill-1, kill-2 and so on, each kind in file order.
void name_faults(std::vector<TimelineEntry>& timeline) {
    std::map<FaultKind, int> count;
    for (auto& entry : timeline) {
        if (!entry.fault || !entry.id.empty()) { continue; }
        entry.id = std::string(to_string(entry.fault->kind)) + '-' +
                   std::to_string(++count[entry.fault->kind]);
    }
}

Scenario read_cell(const Node& root, const Strategy& strategy, const Cell& cell,
                   const Type<Document>& type, Reader& reader) {
    const Node tree = fill_in(root, strategy, cell, reader);
    Document document;
    if (!type.read(reader, tree, document)) { return {}; }
    Scenario& scenario = document.scenario;
    scenario.cell = cell;
    name_faults(scenario.timeline);
    validate(document, tree, reader);
    cut_to_duration(scenario);
    for (const auto& expectation : document.expect) {
        if (!matches(cell, expectation.when)) { continue; }
        scenario.expect_location = expectation.location;
        for (const auto& check : expectation.fail) {
            const auto& listed = scenario.expected_failures;
            if (std::ranges::find(listed, check) == listed.end()) {
                scenario.expected_failures.push_back(check);
            }
        }
    }
    return std::move(scenario);
}

// Everything that is read before there is a tree to report about.
std::optional<Node> read_tree(std::string_view text, const ParseOptions& options, Reader& reader) {
    auto root = read_yaml(text, 0);
    if (!root) {
        reader.error(root.error().place, root.error().problem);
        return std::nullopt;
    }
    for (std::size_t index = 0; index < options.overrides.size(); ++index) {
        apply_override(*root, options.overrides[index], index + 1, reader);
    }
    if (reader.failed() || !check_version(*root, reader)) { return std::nullopt; }
    return *std::move(root);
}

}  // namespace

tl::expected<ParsedFile, std::vector<Diagnostic>> parse_scenario(std::string_view text,
                                                                 const ParseOptions& options) {
    std::vector<std::string> origins{options.file};
    for (const auto& given : options.overrides) { origins.push_back("--set " + given); }
    Reader reader(std::move(origins));
    const auto root = read_tree(text, options, reader);
    if (!root) { return tl::unexpected(reader.errors()); }
    ParsedFile parsed;
    const Strategy strategy = read_strategy(*root, reader);
    if (reader.failed()) { return tl::unexpected(reader.errors()); }
    parsed.fail_fast = strategy.fail_fast;
    const auto cells = read_cells(*root, strategy, reader);
    if (reader.failed()) { return tl::unexpected(reader.errors()); }
    const auto& type = document_type();
    for (const auto& cell : cells) {
        if (reader.full()) { break; }
        auto scenario = read_cell(*root, strategy, cell, type, reader);
        scenario.file = options.file;
        parsed.scenarios.push_back(std::move(scenario));
    }
    if (reader.failed()) { return tl::unexpected(reader.errors()); }
    parsed.warnings = reader.warnings();
    return parsed;
}

}  // namespace rushproof::simulator
