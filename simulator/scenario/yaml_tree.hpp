// YAML as a tree that remembers where everything stood.  Every scalar is text here; what it means
// is for the schema to say, so YAML 1.1's surprises (no, on, 1:30) never get in.
#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "simulator/scenario/scenario.hpp"
#include "simulator/scenario/units.hpp"

namespace rushproof::simulator {

struct Place {
    std::size_t origin = 0;  // 0: the file; n: the n-th override
    Location at;
    friend bool operator==(const Place& a, const Place& b) {
        return a.origin == b.origin && a.at.line == b.at.line && a.at.column == b.at.column;
    }
};

struct NodeEntry;
struct Node {
    enum class Kind : std::uint8_t { empty, scalar, list, map };
    Kind kind = Kind::empty;
    bool quoted = false;  // scalar: in quotes or as a block, hence certainly text
    std::string text;
    Place place;
    std::vector<Node> items;         // list
    std::vector<NodeEntry> entries;  // map, in file order, keys unique

    const Node* find(std::string_view key) const;
    Node* find(std::string_view key);
};
struct NodeEntry {
    std::string key;
    Place key_place;
    Node value;
};

struct YamlError {
    Place place;
    Problem problem;
};

// One document.  Duplicate keys, tags, a second document and anything beyond limits.hpp are errors;
// an alias becomes a copy of what it names.
tl::expected<Node, YamlError> read_yaml(std::string_view text, std::size_t origin);

// Follows "load.flash.stages.0.target".  A key may contain dots itself: the longest that fits wins.
// Gives the deepest node that exists, and what is left of the path.
struct Found {
    const Node* node = nullptr;
    std::string_view reached = {};  // of the path
    std::string_view rest = {};     // empty when the whole path exists
};
Found find_path(const Node& root, std::string_view path);

// "a list", "a map", "nothing", or the scalar in quotes.
std::string describe(const Node& node);

}  // namespace rushproof::simulator
