#include "simulator/scenario/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

// Thrown through yaml-cpp, which knows no other way to stop, and caught in read_yaml.
struct Refused {
    YamlError error;
};

class TreeBuilder final : public YAML::EventHandler {
public:
    explicit TreeBuilder(std::size_t origin) : origin_(origin) {}

    std::optional<Node> take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root_) { refuse(place(mark), "a second document begins here", "one scenario a file"); }
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node;
        // The parser's mark is where it noticed, which may be lines further down.
        const bool is_value = !open_.empty() && open_.back().key;
        node.place = is_value ? open_.back().key_place : place(mark);
        close(Open{std::move(node), anchor});
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_tag(mark, tag);
        Node node;
        node.kind = Node::Kind::scalar;
        node.quoted = tag == "!";
        node.text = value;
        node.place = place(mark);
        if (value.size() > limits::scalar_bytes_max) {
            refuse(node.place, "this text is too long",
                   "at most " + std::to_string(limits::scalar_bytes_max) + " bytes");
        }
        close(Open{std::move(node), anchor});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto named = anchored_.find(anchor);
        if (named == anchored_.end()) {
            refuse(place(mark), "this alias refers to something that contains it", {});
        }
        check_depth(place(mark), named->second.height);
        spend(named->second.cost, place(mark));
        add(named->second);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::list);
    }
    void OnSequenceEnd() override { close_last(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close_last(); }

private:
    struct Open {
        Node node;
        YAML::anchor_t anchor = YAML::NullAnchor;
        std::size_t cost = 0;  // of the node and all below it
        int height = 1;
        std::optional<std::string> key = {};  // map: waits for its value
        Place key_place = {};
    };

    Place place(const YAML::Mark& mark) const {
        return {origin_, {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1}};
    }
    [[noreturn]] static void refuse(const Place& at, std::string message, std::string hint) {
        throw Refused{{at, {std::move(message), std::move(hint)}}};
    }
    void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse(place(mark), "tags such as \"" + tag + "\" are not supported", "leave it out");
        }
    }
    void check_depth(const Place& at, int height) const {
        if (static_cast<int>(open_.size()) + height > limits::depth_max) {
            refuse(at, "nested too deeply",
                   "at most " + std::to_string(limits::depth_max) + " levels");
        }
    }
    void spend(std::size_t cost, const Place& at) {
        spent_ += cost;
        if (spent_ > limits::tree_cost_max) {
            refuse(at, "the file is too large with its aliases filled in", "use fewer aliases");
        }
    }
    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              Node::Kind kind) {
        refuse_tag(mark, tag);
        check_depth(place(mark), 1);
        Node node;
        node.kind = kind;
        node.place = place(mark);
        open_.push_back(Open{std::move(node), anchor});
    }
    void close_last() {
        Open last = std::move(open_.back());
        open_.pop_back();
        close(std::move(last));
    }
    void close(Open done) {
        const auto own_cost = limits::node_cost + done.node.text.size();
        spend(own_cost, done.node.place);
        done.cost += own_cost;
        if (done.anchor != YAML::NullAnchor) { anchored_[done.anchor] = done; }
        add(done);
    }
    void add(const Open& done) {
        if (open_.empty()) {
            root_ = done.node;
            return;
        }
        Open& parent = open_.back();
        parent.cost += done.cost;
        parent.height = std::max(parent.height, done.height + 1);
        if (parent.node.kind == Node::Kind::list) {
            parent.node.items.push_back(done.node);
        } else if (parent.key) {
            parent.node.entries.push_back({*std::move(parent.key), parent.key_place, done.node});
            parent.key.reset();
        } else {
            take_key(parent, done.node);
        }
    }
    static void take_key(Open& parent, const Node& key) {
        if (key.kind != Node::Kind::scalar) {
            refuse(key.place, "a key must be a word", "is a word missing before the colon?");
        }
        if (key.text == "<<" && !key.quoted) {
            refuse(key.place, "merge keys (<<) are not supported", "repeat the keys");
        }
        if (key.text.size() > limits::key_bytes_max) {
            refuse(key.place, "this key is too long",
                   "at most " + std::to_string(limits::key_bytes_max) + " bytes");
        }
        const auto same = std::ranges::find(parent.node.entries, key.text, &NodeEntry::key);
        if (same != parent.node.entries.end()) {
            refuse(key.place, "the key \"" + key.text + "\" stands here twice",
                   "it is on line " + std::to_string(same->key_place.at.line) + " already");
        }
        parent.key = key.text;
        parent.key_place = key.place;
    }

    std::size_t origin_;
    std::size_t spent_ = 0;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Open> anchored_;
    std::optional<Node> root_;
};

// The length of the UTF-8 sequence at the front of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xC2 && first < 0xE0  ? 2
                               : first >= 0xE0 && first < 0xF0  ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    if (length == 0 || length > text.size()) { return 0; }
    for (std::size_t index = 1; index < length; ++index) {
        if ((byte(index) & 0xC0) != 0x80) { return 0; }
    }
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    const bool too_high = first == 0xF4 && byte(1) >= 0x90;
    return overlong || surrogate || too_high ? 0 : length;
}

// yaml-cpp takes some control characters for its own marks, so none gets that far.
std::optional<YamlError> find_bad_character(std::string_view text, std::size_t origin) {
    Place at{origin, {1, 1}};
    // Brackets nest by recursion in the parser; block style is bounded by the builder.
    int brackets = 0;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const auto byte = static_cast<unsigned char>(text.front());
        const bool control =
            (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
        if (length == 0 || control) {
            return YamlError{at,
                             {length == 0 ? "this is not UTF-8" : "a control character stands here",
                              "save the file as plain UTF-8 text"}};
        }
        brackets += byte == '[' || byte == '{' ? 1 : byte == ']' || byte == '}' ? -1 : 0;
        if (brackets > 4 * limits::depth_max) {
            return YamlError{at, {"too many brackets are open here", "is one not closed?"}};
        }
        at.at.column = byte == '\n' ? 1 : at.at.column + 1;
        at.at.line += byte == '\n' ? 1 : 0;
        text.remove_prefix(length);
    }
    return std::nullopt;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &NodeEntry::key);
    return found == entries.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) {
    const auto found = std::ranges::find(entries, key, &NodeEntry::key);
    return found == entries.end() ? nullptr : &found->value;
}

tl::expected<Node, YamlError> read_yaml(std::string_view text, std::size_t origin) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) { text.remove_prefix(byte_order_mark.size()); }
    if (text.size() > limits::text_bytes_max) {
        return tl::unexpected(
            YamlError{{origin, {1, 1}},
                      {"the text is too large",
                       "at most " + std::to_string(limits::text_bytes_max) + " bytes"}});
    }
    if (auto bad = find_bad_character(text, origin)) { return tl::unexpected(*std::move(bad)); }
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        TreeBuilder builder(origin);
        while (parser.HandleNextDocument(builder)) {}
        Node nothing;
        nothing.place = {origin, {1, 1}};
        return builder.take().value_or(std::move(nothing));
    } catch (const Refused& refused) {
        return tl::unexpected(refused.error);
    } catch (const YAML::Exception& error) {
        const bool tab = text.starts_with('\t') || text.find("\n\t") != text.npos;
        return tl::unexpected(YamlError{
            {origin, {std::max(error.mark.line, 0) + 1, std::max(error.mark.column, 0) + 1}},
            {"not YAML: " + error.msg, tab ? "indent with spaces, not with tabs" : ""}});
    }
}

Found find_path(const Node& root, std::string_view path) {
    Found found{.node = &root, .rest = path};
    while (!found.rest.empty()) {
        const Node* next = nullptr;
        std::size_t taken = 0;
        if (found.node->kind == Node::Kind::list) {
            std::size_t index = 0;
            const char* const begin = found.rest.data();
            const auto [end, error] = std::from_chars(begin, begin + found.rest.size(), index);
            const auto length = static_cast<std::size_t>(end - begin);
            if (error == std::errc{} && index < found.node->items.size() &&
                (length == found.rest.size() || found.rest[length] == '.')) {
                next = &found.node->items[index];
                taken = length;
            }
        }
        for (const auto& entry : found.node->entries) {
            const auto length = entry.key.size();
            if (found.rest.starts_with(entry.key) && length >= taken &&
                (length == found.rest.size() || found.rest[length] == '.')) {
                next = &entry.value;
                taken = length;
            }
        }
        if (next == nullptr) { break; }
        found.node = next;
        found.rest.remove_prefix(std::min(taken + 1, found.rest.size()));
        const bool whole = found.rest.empty();
        found.reached = path.substr(0, path.size() - found.rest.size() - (whole ? 0 : 1));
    }
    return found;
}

std::string describe(const Node& node) {
    switch (node.kind) {
        case Node::Kind::empty: return "nothing";
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a map";
        case Node::Kind::scalar: break;
    }
    std::size_t shown = 60;
    if (node.text.size() <= shown) { return '"' + node.text + '"'; }
    while ((static_cast<unsigned char>(node.text[shown]) & 0xC0) == 0x80) { --shown; }
    return '"' + node.text.substr(0, shown) + "...\"";
}

}  // namespace rushproof::simulator
