#include "simulator/scenario/matrix.hpp"

#include <algorithm>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

constexpr std::string_view opening = "${{";
constexpr std::string_view closing = "}}";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) { return {}; }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> keys_of(const Node& node) {
    std::vector<std::string> keys;
    for (const auto& entry : node.entries) { keys.push_back(entry.key); }
    return keys;
}

// Why the path cannot be followed, or made, from `node` on; nothing when it can.
std::optional<Problem> obstacle(const Node& node, std::string_view reached, std::string_view rest) {
    const std::string where = reached.empty() ? "the file" : std::string(reached);
    const auto segment = rest.substr(0, rest.find('.'));
    const std::string quoted = '"' + std::string(segment) + '"';
    if (node.kind == Node::Kind::list) {
        return Problem{"no item " + quoted + " in " + where,
                       node.items.empty()
                           ? "the list is empty"
                           : "it has the items 0 to " + std::to_string(node.items.size() - 1)};
    }
    if (node.kind == Node::Kind::scalar) {
        return Problem{where + " is " + describe(node) + " and has no " + quoted, {}};
    }
    const auto keys = keys_of(node);
    const bool last = segment.size() == rest.size();
    if (!last && !nearest_word(segment, keys).empty()) {
        return Problem{"no " + quoted + " in " + where, suggest(segment, keys)};
    }
    return std::nullopt;
}

// The problem with what stands between "${{" and "}}", or the value that it means.
const Node* value_of(std::string_view expression, const Strategy& strategy, const Cell& cell,
                     const Place& at, Reader& reader) {
    constexpr std::string_view context = "matrix.";
    std::vector<std::string> known;
    for (const auto& [axis, values] : strategy.axes) {
        known.push_back(std::string(context) + axis);
    }
    for (std::size_t index = 0; index < cell.size(); ++index) {
        if (known[index] != expression) { continue; }
        const auto& values = strategy.axes[index].second;
        return &*std::ranges::find(values, cell[index].second, &Node::text);
    }
    reader.error(at, "unknown expression \"" + std::string(expression) + '"',
                 known.empty() ? "the file has no strategy.matrix" : suggest(expression, known));
    return nullptr;
}

void fill_in_scalar(Node& node, const Strategy& strategy, const Cell& cell, Reader& reader) {
    std::string filled;
    std::string_view rest = node.text;
    for (auto at = rest.find(opening); at != rest.npos; at = rest.find(opening)) {
        const auto end = rest.find(closing, at);
        if (end == rest.npos) {
            reader.error(node.place, "\"${{\" without \"}}\"", "write ${{ matrix.axis }}");
            return;
        }
        const auto expression = rest.substr(at + opening.size(), end - at - opening.size());
        const Node* const value = value_of(trim(expression), strategy, cell, node.place, reader);
        if (value == nullptr) { return; }
        const bool whole = filled.empty() && at == 0 && end + closing.size() == rest.size();
        if (whole) {
            // What is wrong with the value is wrong where the matrix says it.
            node = *value;
            return;
        }
        filled += rest.substr(0, at);
        filled += value->text;
        rest.remove_prefix(end + closing.size());
        if (filled.size() > limits::scalar_bytes_max) {
            reader.error(node.place, "this text is too long with its values filled in",
                         "at most " + std::to_string(limits::scalar_bytes_max) + " bytes");
            return;
        }
    }
    node.text = filled + std::string(rest);
}

void fill_in_below(Node& node, const Strategy& strategy, const Cell& cell, Reader& reader) {
    if (node.kind == Node::Kind::scalar && node.text.find(opening) != node.text.npos) {
        fill_in_scalar(node, strategy, cell, reader);
    }
    for (auto& item : node.items) { fill_in_below(item, strategy, cell, reader); }
    for (auto& entry : node.entries) { fill_in_below(entry.value, strategy, cell, reader); }
}

bool is_excluded(const Strategy& strategy, const Cell& cell) {
    return std::ranges::any_of(strategy.exclude,
                               [&](const Cell& excluded) { return matches(cell, excluded); });
}

}  // namespace

void apply_override(Node& root, const std::string& override_text, std::size_t origin,
                    Reader& reader) {
    const Place place{origin, {1, 1}};
    const auto equals = override_text.find('=');
    const std::string_view path = std::string_view(override_text).substr(0, equals);
    if (equals == override_text.npos || path.empty()) {
        reader.error(place, "an override is a path, '=' and a value",
                     "write it like --set load.flash.rate=400/s");
        return;
    }
    if (std::ranges::count(path, '.') >= limits::depth_max) {
        reader.error(place, "the path is too long");
        return;
    }
    auto value = read_yaml(std::string_view(override_text).substr(equals + 1), origin);
    if (!value) {
        reader.error(value.error().place, value.error().problem);
        return;
    }
    // One seed and several seeds are two ways to say the same thing: the override's way wins.
    if (path == "seed" || path == "seeds") {
        std::erase_if(root.entries, [](const NodeEntry& entry) {
            return entry.key == "seed" || entry.key == "seeds";
        });
    }
    const auto found = find_path(root, path);
    // The root is not const, so nothing below it is.
    Node* node = const_cast<Node*>(found.node);
    std::string_view rest = found.rest;
    if (!rest.empty()) {
        if (const auto problem = obstacle(*node, found.reached, rest)) {
            reader.error(place, *problem);
            return;
        }
    }
    while (!rest.empty()) {
        const auto segment = rest.substr(0, rest.find('.'));
        rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
        node->kind = Node::Kind::map;
        node->entries.push_back({std::string(segment), place, {}});
        node = &node->entries.back().value;
        node->place = place;
    }
    *node = *std::move(value);
}

std::vector<Cell> expand_matrix(const Strategy& strategy) {
    std::vector<Cell> cells{Cell{}};
    for (const auto& [axis, values] : strategy.axes) {
        std::vector<Cell> longer;
        for (const auto& cell : cells) {
            for (const auto& value : values) {
                longer.push_back(cell);
                longer.back().emplace_back(axis, value.text);
                // The caller refuses so many; there is no need to build them all.
                if (longer.size() > limits::cells_max * limits::cells_max) { return longer; }
            }
        }
        cells = std::move(longer);
    }
    std::erase_if(cells, [&](const Cell& cell) { return is_excluded(strategy, cell); });
    return cells;
}

Node fill_in(const Node& root, const Strategy& strategy, const Cell& cell, Reader& reader) {
    Node filled = root;
    for (auto& entry : filled.entries) {
        if (entry.key != "strategy") { fill_in_below(entry.value, strategy, cell, reader); }
    }
    return filled;
}

bool matches(const Cell& cell, const Cell& when) {
    return std::ranges::all_of(
        when, [&](const auto& wanted) { return std::ranges::find(cell, wanted) != cell.end(); });
}

}  // namespace rushproof::simulator
