#include "simulator/scenario/schema_types.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "simulator/scenario/limits.hpp"

namespace rushproof::simulator {

namespace {

namespace json = boost::json;

constexpr std::string_view matrix_pattern = R"(\$\{\{)";

json::object or_matrix_expression(json::object schema) {
    return any_of({std::move(schema), {{"type", "string"}, {"pattern", matrix_pattern}}});
}

json::object pattern_schema(std::string_view pattern) {
    return {{"type", "string"},
            {"pattern", "^" + std::string(pattern) + "$|" + std::string(matrix_pattern)}};
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& character : result) {
        if (character >= 'A' && character <= 'Z') { character = static_cast<char>(character + 32); }
    }
    return result;
}

// True, false, or nothing, as YAML 1.1 reads it.
std::optional<bool> yaml_boolean(std::string_view text) {
    constexpr std::array yes{"true", "yes", "on", "y"};
    constexpr std::array no{"false", "no", "off", "n"};
    const auto word = lower(text);
    if (std::ranges::find(yes, word) != yes.end()) { return true; }
    if (std::ranges::find(no, word) != no.end()) { return false; }
    return std::nullopt;
}

// What some YAML readers take for something else than text: no, 5, 0x1F, 1:30, 2026-01-01.
bool is_ambiguous(std::string_view text) {
    const bool starts_like_number = !text.empty() && text.front() >= '0' && text.front() <= '9';
    return is_number(text) || yaml_boolean(text) ||
           (starts_like_number &&
            text.find_first_not_of("0123456789:.-_+xoTZabcdefABCDEF ") == text.npos &&
            text.find_first_of(":-_xo") != text.npos);
}

Problem wanted(const std::string& noun, const Node& node, std::string hint = {}) {
    return {"expected " + noun + ", found " + describe(node), std::move(hint)};
}

bool is_name(std::string_view text) {
    constexpr std::size_t name_max = 64;
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    return !text.empty() && text.size() <= name_max && std::ranges::all_of(text, good) &&
           text.front() != '-' && text.front() != '.';
}

constexpr std::string_view name_hint =
    "letters, digits, '_', '-' and '.', at most 64 of them, and no '-' or '.' at the front";

// Wraps a parser of texts; what is in quotes may be a number with a unit all the same.
template <class V>
std::function<Parsed<V>(const Node&)> from_text(Parsed<V> (*parse)(std::string_view)) {
    return [parse](const Node& node) { return parse(node.text); };
}

}  // namespace

json::object any_of(std::initializer_list<json::object> alternatives) {
    json::array list;
    for (const auto& alternative : alternatives) { list.push_back(alternative); }
    return {{"anyOf", std::move(list)}};
}

json::object list_schema(const json::object& item, std::size_t min, std::size_t max) {
    return {{"type", "array"}, {"items", item}, {"minItems", min}, {"maxItems", max}};
}

bool check_list(Reader& reader, const Node& node, std::size_t min, std::size_t max,
                const std::string& noun) {
    if (node.kind != Node::Kind::list) {
        reader.error(node.place, "expected a list, found " + describe(node),
                     "begin each of its lines with a dash: - ...");
        return false;
    }
    if (node.items.size() < min || node.items.size() > max) {
        reader.error(node.place, "expected " + std::to_string(min) + " to " + std::to_string(max) +
                                     " of " + noun + ", found " +
                                     std::to_string(node.items.size()));
        return false;
    }
    return true;
}

void report_flaw(Reader& reader, const Node& node, const Flaw& flaw) {
    const Node* const value = node.find(flaw.key);
    if (value == nullptr) {
        reader.error(node.place, flaw.problem);
        return;
    }
    const Reader::Scope scope(reader, flaw.key);
    reader.error(value->place, flaw.problem);
}

bool check_name(Reader& reader, const NodeEntry& entry) {
    if (is_name(entry.key)) { return true; }
    reader.error(entry.key_place, '"' + entry.key + "\" is no name", std::string(name_hint));
    return false;
}

Type<std::string> text_type() {
    return scalar_type<std::string>(
        {"text", "text", {{"type", "string"}, {"minLength", 1}}},
        [](const Node& node) -> Parsed<std::string> {
            if (node.text.empty()) {
                return tl::unexpected(Problem{"expected text, found nothing"});
            }
            if (!node.quoted && is_ambiguous(node.text)) {
                return tl::unexpected(Problem{describe(node) + " is not text to every YAML reader",
                                              "put it in quotes: \"" + node.text + '"'});
            }
            return node.text;
        },
        [](const std::string& text) { return text; });
}

Type<std::string> name_type(std::string noun, std::string word) {
    return scalar_type<std::string>(
        {noun, std::move(word), pattern_schema("[A-Za-z0-9_$][A-Za-z0-9_.-]*")},
        [noun](const Node& node) -> Parsed<std::string> {
            if (!node.quoted && is_ambiguous(node.text)) {
                return tl::unexpected(wanted(noun, node, "put it in quotes if it is a name"));
            }
            if (!is_name(node.text)) {
                return tl::unexpected(wanted(noun, node, std::string(name_hint)));
            }
            return node.text;
        },
        [](const std::string& name) { return name; });
}

Type<bool> boolean_type() {
    return scalar_type<bool>(
        {"true or false", "`true` or `false`", or_matrix_expression({{"type", "boolean"}})},
        [](const Node& node) -> Parsed<bool> {
            const auto meant = yaml_boolean(node.text);
            if (node.quoted || !meant || (node.text != "true" && node.text != "false")) {
                return tl::unexpected(
                    wanted("true or false", node,
                           meant ? std::string("write ") + (*meant ? "true" : "false") : ""));
            }
            return *meant;
        },
        [](const bool& value) { return std::string(value ? "true" : "false"); });
}

Type<std::int64_t> integer_type(std::int64_t min, std::int64_t max) {
    const bool open = max == std::numeric_limits<std::int64_t>::max();
    const std::string range =
        std::to_string(min) + (open ? " or more" : " to " + std::to_string(max));
    return scalar_type<std::int64_t>(
        {"a whole number", "whole number, " + range,
         or_matrix_expression({{"type", "integer"}, {"minimum", min}, {"maximum", max}})},
        [min, max, hint = (open ? "" : "from ") + range](const Node& node) -> Parsed<std::int64_t> {
            const auto value = parse_integer(node.text);
            if (node.quoted || !value || *value < min || *value > max) {
                return tl::unexpected(wanted("a whole number", node, hint));
            }
            return *value;
        },
        [](const std::int64_t& value) { return std::to_string(value); });
}

Type<double> number_type(double min, double max) {
    const std::string range = format_number(min) + " to " + format_number(max);
    return scalar_type<double>(
        {"a number", "number, " + range,
         or_matrix_expression({{"type", "number"}, {"minimum", min}, {"maximum", max}})},
        [min, max, range](const Node& node) -> Parsed<double> {
            const auto value = parse_number(node.text);
            if (node.quoted || !value || *value < min || *value > max) {
                return tl::unexpected(wanted("a number", node, "from " + range));
            }
            return *value;
        },
        [](const double& value) { return format_number(value); });
}

Type<Duration> duration_type(Duration min, Duration max) {
    return scalar_type<Duration>(
        {"a duration", "duration",
         pattern_schema(std::string(min.count() < 0 ? "-?" : "") +
                        R"(([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)")},
        [min, max](const Node& node) -> Parsed<Duration> {
            auto value = parse_duration(node.text);
            if (value && (*value < min || *value > max)) {
                return tl::unexpected(
                    Problem{describe(node) + " is out of range",
                            "from " + format_duration(min) + " to " + format_duration(max)});
            }
            return value;
        },
        [](const Duration& value) { return format_duration(value); });
}

Type<Rate> rate_type() {
    return scalar_type<Rate>({"a rate", "rate", pattern_schema(R"([0-9]+(\.[0-9]{1,3})?/s)")},
                             from_text(&parse_rate),
                             [](const Rate& value) { return format_rate(value); });
}

Type<std::uint32_t> share_type() {
    return scalar_type<std::uint32_t>(
        {"a share", "share",
         any_of({{{"type", "number"}, {"minimum", 0}, {"maximum", 1}},
                 pattern_schema(R"([0-9]+(\.[0-9]{1,4})?%)")})},
        from_text(&parse_share), [](const std::uint32_t& value) { return format_share(value); });
}

Type<std::int64_t> ppm_type() {
    return scalar_type<std::int64_t>(
        {"parts per million", "parts per million", pattern_schema("-?[0-9]+ppm")},
        from_text(&parse_ppm),
        [](const std::int64_t& value) { return std::to_string(value) + "ppm"; });
}

Type<std::string> word_type(const std::vector<std::pair<std::string, std::string>>& list) {
    std::vector<std::string> candidates;
    json::array schema;
    std::string display;
    std::string notes;
    for (const auto& [word, sentence] : list) {
        candidates.push_back(word);
        schema.emplace_back(word);
        // 503 is a word among others, but to YAML it is a number.
        if (const auto number = parse_integer(word)) { schema.emplace_back(*number); }
        display += (display.empty() ? "`" : ", `") + word + '`';
        if (!sentence.empty()) { notes += (notes.empty() ? "`" : "; `") + word + "`: " + sentence; }
    }
    const std::string noun = list.size() == 1 ? "\"" + list.front().first + "\"" : "a word";
    return scalar_type<std::string>(
        {noun,
         std::move(display),
         or_matrix_expression({{"enum", std::move(schema)}}),
         {},
         std::move(notes)},
        [candidates](const Node& node) -> Parsed<std::string> {
            if (std::ranges::find(candidates, node.text) != candidates.end()) { return node.text; }
            return tl::unexpected(
                Problem{describe(node) + " is not known here", suggest(node.text, candidates)});
        },
        [](const std::string& word) { return word; });
}

namespace {

bool belongs(const FieldShape& field, std::string_view tag) {
    return field.tags.empty() || std::ranges::find(field.tags, tag) != field.tags.end();
}

std::optional<std::size_t> find_field(const Section& section, std::string_view tag,
                                      std::string_view key) {
    for (std::size_t index = 0; index < section.fields.size(); ++index) {
        const auto& field = section.fields[index];
        const bool outside = section.tag_from_outside && field.name == section.tag;
        if (field.name == key && belongs(field, tag) && !outside) { return index; }
    }
    return std::nullopt;
}

// k6 writes startTime where we write start-time.
std::string kebab_case(std::string_view key) {
    std::string result;
    for (const char character : key) {
        const bool upper = character >= 'A' && character <= 'Z';
        if (upper && result.empty()) { return std::string(key); }
        if (upper) { result += '-'; }
        result += upper ? static_cast<char>(character + 32) : character;
    }
    return result;
}

const Node* find_key(const Node& node, std::string_view key) {
    for (const auto& entry : node.entries) {
        if (entry.key == key || kebab_case(entry.key) == key) { return &entry.value; }
    }
    return nullptr;
}

std::vector<std::string> keys_of(const Section& section, std::string_view tag) {
    std::vector<std::string> keys;
    for (const auto& field : section.fields) {
        const bool outside = section.tag_from_outside && field.name == section.tag;
        if (belongs(field, tag) && !outside) { keys.push_back(field.name); }
    }
    return keys;
}

std::string hint_for_unknown(const Section& section, std::string_view tag, const std::string& key) {
    std::string other_tags;
    const auto candidates = keys_of(section, tag);
    for (const auto& field : section.fields) {
        if (field.name != key) { continue; }
        for (const auto& word : field.tags) {
            other_tags += (other_tags.empty() ? "" : ", ") + word;
        }
    }
    if (!other_tags.empty()) {
        return "it belongs to " + section.tag + ' ' + other_tags + ", not to " + std::string(tag);
    }
    if (!nearest_word(key, candidates).empty()) { return suggest(key, candidates); }
    for (const auto& field : section.fields) {
        for (const auto& inner : field.shape.sections) {
            if (std::ranges::find(inner->fields, key, &FieldShape::name) != inner->fields.end() &&
                belongs(field, tag)) {
                return "it belongs into \"" + field.name + '"';
            }
        }
    }
    return suggest(key, candidates);
}

// Reads the word that decides which fields there are; nothing when it was reported as wrong.
std::optional<std::string> read_tag(Reader& reader, const Node& node, const Section& section,
                                    const ReadField& read_field) {
    const Node* const value = find_key(node, section.tag);
    if (value == nullptr) {
        std::string all;
        for (const auto& word : section.tag_words) { all += (all.empty() ? "" : ", ") + word; }
        reader.error(node.place, '"' + section.tag + "\" is missing", "one of: " + all);
        return std::nullopt;
    }
    const Reader::Scope scope(reader, section.tag);
    const auto index = std::ranges::find(section.fields, section.tag, &FieldShape::name);
    if (!read_field(static_cast<std::size_t>(index - section.fields.begin()), *value)) {
        return std::nullopt;
    }
    return value->text;
}

bool check_groups(Reader& reader, const Node& node, const Section& section) {
    bool good = true;
    const auto check = [&](const std::vector<std::string>& keys, bool one_needed) {
        std::string all;
        const Node* last = nullptr;
        int present = 0;
        for (const auto& key : keys) {
            all += (all.empty() ? "\"" : " and \"") + key + '"';
            if (const Node* const value = find_key(node, key)) {
                last = value;
                ++present;
            }
        }
        if (present > 1) {
            reader.error(last->place, all + " exclude each other", "leave one out");
        } else if (present == 0 && one_needed) {
            reader.error(node.place, "one of " + all + " is missing");
        } else {
            return;
        }
        good = false;
    };
    for (const auto& keys : section.exactly_one) { check(keys, true); }
    for (const auto& keys : section.at_most_one) { check(keys, false); }
    return good;
}

}  // namespace

bool read_fields(Reader& reader, const Node& node, const Section& section, std::string_view tag,
                 const ReadField& read_field) {
    if (node.kind != Node::Kind::map) {
        std::string keys;
        for (const auto& field : section.fields) {
            if (field.required && !(section.tag_from_outside && field.name == section.tag)) {
                keys += (keys.empty() ? "" : ", ") + field.name;
            }
        }
        reader.error(node.place, "expected a map, found " + describe(node),
                     keys.empty() ? "" : "its keys begin with: " + keys);
        return false;
    }
    std::string word(tag);
    if (!section.tag.empty() && word.empty()) {
        const auto read = read_tag(reader, node, section, read_field);
        if (!read) { return false; }
        word = *read;
    }
    bool good = true;
    const auto known = keys_of(section, word);
    std::vector<bool> present(section.fields.size());
    std::vector<bool> meant(section.fields.size());  // by a misspelt key, so not missing as well
    for (const auto& entry : node.entries) {
        if (reader.full()) { return false; }
        auto index = find_field(section, word, entry.key);
        if (!index && (index = find_field(section, word, kebab_case(entry.key)))) {
            reader.warning(entry.key_place, '"' + entry.key + "\" is k6's spelling",
                           "write \"" + section.fields[*index].name + '"');
        }
        if (!index) {
            reader.error(entry.key_place, "unknown key \"" + entry.key + '"',
                         hint_for_unknown(section, word, entry.key));
            if (const auto field = find_field(section, word, nearest_word(entry.key, known))) {
                meant[*field] = true;
            }
            good = false;
            continue;
        }
        if (present[*index]) {
            reader.error(entry.key_place, '"' + entry.key + "\" stands here twice",
                         "in two spellings");
            good = false;
        }
        present[*index] = true;
        if (section.fields[*index].name == section.tag) { continue; }
        const Reader::Scope scope(reader, section.fields[*index].name);
        good = read_field(*index, entry.value) && good;
    }
    for (std::size_t index = 0; index < section.fields.size(); ++index) {
        const auto& field = section.fields[index];
        const bool missing = field.required && !present[index] && !meant[index];
        if (missing && belongs(field, word) && field.name != section.tag) {
            reader.error(node.place, '"' + field.name + "\" is missing", field.sentence);
            good = false;
        }
    }
    return check_groups(reader, node, section) && good;
}

bool read_single_key(Reader& reader, const Node& node, const Section& section,
                     const ReadField& read_field) {
    std::vector<std::string> candidates;
    for (const auto& field : section.fields) { candidates.push_back(field.name); }
    const bool bare = node.kind == Node::Kind::scalar;
    if (!bare && (node.kind != Node::Kind::map || node.entries.size() != 1)) {
        reader.error(node.place, "expected a map with one key, found " + describe(node),
                     node.kind == Node::Kind::map ? "begin each entry with a dash of its own"
                                                  : suggest({}, candidates));
        return false;
    }
    const std::string& key = bare ? node.text : node.entries.front().key;
    const auto field = std::ranges::find(section.fields, key, &FieldShape::name);
    if (field == section.fields.end()) {
        reader.error(bare ? node.place : node.entries.front().key_place,
                     "unknown word \"" + key + '"', suggest(key, candidates));
        return false;
    }
    const auto index = static_cast<std::size_t>(field - section.fields.begin());
    const Reader::Scope scope(reader, key);
    if (!bare) { return read_field(index, node.entries.front().value); }
    if (std::ranges::find(section.bare, key) == section.bare.end()) {
        reader.error(node.place, "a value is missing", "write it as \"- " + key + ": ...\"");
        return false;
    }
    Node nothing;
    nothing.kind = Node::Kind::map;
    nothing.place = node.place;
    return read_field(index, nothing);
}

}  // namespace rushproof::simulator
