// The words in which tables.cpp describes a scenario file.  A Type<V> reads a V from YAML and knows
// what to tell editors (JSON Schema) and people (the reference) about it; an Object<T> is a map
// with named fields, a Choice<V> a map with one key out of several.
#pragma once
#include <boost/json.hpp>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/scenario/reader.hpp"
#include "simulator/scenario/words.hpp"

namespace rushproof::simulator {

struct Section;

// What is known of a type without reading anything.
struct Shape {
    std::string noun;            // for messages: "a duration"
    std::string word;            // for the reference, in Markdown: "list of [stage](#stage)"
    boost::json::object schema;  // may refer to "#/$defs/<section>"
    std::vector<std::shared_ptr<const Section>> sections = {};  // the maps inside it
    std::string notes = {};  // what each word of an enumeration means
};

struct FieldShape {
    std::string name;
    Shape shape;
    std::string sentence;
    std::string standard;  // the default as YAML writes it; empty: none to show
    bool required = false;
    std::vector<std::string> tags;  // belongs to these words of the tag only; empty: to all
};

// One map, as the reference has a table for it and the JSON Schema a definition.
struct Section {
    std::string name;
    std::string sentence;
    std::vector<FieldShape> fields;
    std::string tag;  // the field whose word decides which others there are
    std::vector<std::string> tag_words;
    bool tag_from_outside = false;  // its word is not in the map: it is the key of the map
    bool single_key = false;        // exactly one field at a time
    std::vector<std::string> bare;  // single_key: words that may stand without a map
    std::vector<std::vector<std::string>> exactly_one;  // of these keys
    std::vector<std::vector<std::string>> at_most_one;  // of these keys
    boost::json::object shorthand;  // what may stand instead of the map; empty: nothing
};

// Reads field `index` from `node`; false when it was reported as wrong.
using ReadField = std::function<bool(std::size_t index, const Node& node)>;

// The part of Object that does not depend on the C++ type.  `tag` is the word from outside, or
// empty.
bool read_fields(Reader& reader, const Node& node, const Section& section, std::string_view tag,
                 const ReadField& read_field);
bool read_single_key(Reader& reader, const Node& node, const Section& section,
                     const ReadField& read_field);

template <class V>
struct Type {
    Shape shape;
    std::function<bool(Reader&, const Node&, V&)> read;  // false: reported; V is then unspecified
    std::function<std::string(const V&)> spell = {};     // as YAML writes it; for defaults
};

Type<std::string> text_type();
// Letters, digits, '.', '_' and '-'.
Type<std::string> name_type(std::string noun, std::string word);
Type<bool> boolean_type();
Type<std::int64_t> integer_type(std::int64_t min, std::int64_t max);
Type<double> number_type(double min, double max);
Type<Duration> duration_type(Duration min, Duration max);
Type<Rate> rate_type();
Type<std::uint32_t> share_type();
Type<std::int64_t> ppm_type();
// One of these words, as text.
Type<std::string> word_type(const std::vector<std::pair<std::string, std::string>>& words);

// A scalar read by `parse`.  `schema` must also allow "${{ matrix.x }}".
template <class V>
Type<V> scalar_type(Shape shape, std::function<Parsed<V>(const Node&)> parse,
                    std::function<std::string(const V&)> spell) {
    return {shape,
            [noun = shape.noun, parse](Reader& reader, const Node& node, V& value) {
                if (node.kind != Node::Kind::scalar) {
                    reader.error(node.place, "expected " + noun + ", found " + describe(node));
                    return false;
                }
                auto parsed = parse(node);
                if (!parsed) {
                    reader.error(node.place, parsed.error());
                    return false;
                }
                value = *std::move(parsed);
                return true;
            },
            std::move(spell)};
}

template <class Enumeration>
Type<Enumeration> enumeration_type() {
    std::vector<std::pair<std::string, std::string>> list;
    for (const auto& entry : words<Enumeration>()) {
        list.emplace_back(entry.word, entry.sentence);
    }
    const auto text = word_type(list);
    return {text.shape,
            [read = text.read](Reader& reader, const Node& node, Enumeration& value) {
                std::string word;
                if (!read(reader, node, word)) { return false; }
                for (const auto& entry : words<Enumeration>()) {
                    if (entry.word == word) { value = entry.value; }
                }
                return true;
            },
            [](const Enumeration& value) { return std::string(word_of(value)); }};
}

boost::json::object list_schema(const boost::json::object& item, std::size_t min, std::size_t max);
boost::json::object any_of(std::initializer_list<boost::json::object> alternatives);
bool check_list(Reader& reader, const Node& node, std::size_t min, std::size_t max,
                const std::string& noun);
bool check_name(Reader& reader, const NodeEntry& entry);

template <class V>
Type<std::vector<V>> list_of(Type<V> item, std::size_t min, std::size_t max) {
    Shape shape{"a list", "list of " + item.shape.word, list_schema(item.shape.schema, min, max),
                item.shape.sections, item.shape.notes};
    return {shape, [read = item.read, noun = item.shape.noun, min, max](
                       Reader& reader, const Node& node, std::vector<V>& values) {
                if (!check_list(reader, node, min, max, noun)) { return false; }
                bool good = true;
                for (std::size_t index = 0; index < node.items.size(); ++index) {
                    const Reader::Scope scope(reader, std::to_string(index));
                    values.emplace_back();
                    good = read(reader, node.items[index], values.back()) && good;
                }
                return good;
            }};
}

// A list, or one value for a list of one.
template <class V>
Type<std::vector<V>> one_or_list(Type<V> item, std::size_t max) {
    const auto list = list_of(item, 1, max);
    Shape shape{item.shape.noun, item.shape.word + " or a list of them",
                any_of({item.shape.schema, list.shape.schema}), item.shape.sections,
                item.shape.notes};
    return {shape, [read = item.read, read_list = list.read](Reader& reader, const Node& node,
                                                             std::vector<V>& values) {
                if (node.kind == Node::Kind::list) { return read_list(reader, node, values); }
                return read(reader, node, values.emplace_back());
            }};
}

// A map from names to values, in file order.
template <class V>
Type<std::vector<std::pair<std::string, V>>> map_of(Type<V> item, std::string key_word,
                                                    std::size_t max) {
    Shape shape{
        "a map",
        "map of " + std::move(key_word) + " to " + item.shape.word,
        {{"type", "object"}, {"maxProperties", max}, {"additionalProperties", item.shape.schema}},
        item.shape.sections,
        item.shape.notes};
    return {shape, [read = item.read, max](Reader& reader, const Node& node,
                                           std::vector<std::pair<std::string, V>>& values) {
                if (node.kind != Node::Kind::map || node.entries.size() > max) {
                    reader.error(node.place, "expected a map, with at most " + std::to_string(max) +
                                                 " names, found " + describe(node));
                    return false;
                }
                bool good = true;
                for (const auto& entry : node.entries) {
                    const Reader::Scope scope(reader, entry.key);
                    auto& [name, value] = values.emplace_back(entry.key, V{});
                    good = check_name(reader, entry) && good;
                    good = read(reader, entry.value, value) && good;
                }
                return good;
            }};
}

// A map from names to things that know their own name and place.
template <class V>
Type<std::vector<V>> named(Type<V> item, std::string key_word, std::size_t max) {
    const auto map = map_of(item, std::move(key_word), max);
    return {map.shape, [read = map.read](Reader& reader, const Node& node, std::vector<V>& values) {
                std::vector<std::pair<std::string, V>> pairs;
                const bool good = read(reader, node, pairs);
                for (std::size_t index = 0; index < pairs.size(); ++index) {
                    auto& [name, value] = pairs[index];
                    value.name = name;
                    value.location = Reader::location(node.entries[index].key_place);
                    values.push_back(std::move(value));
                }
                return good;
            }};
}

// How a field reaches its member where a pointer to it does not do: both ways by hand.
template <class Set, class Get>
struct Property {
    Set set;
    Get get;
};
template <class Set, class Get>
Property(Set, Get) -> Property<Set, Get>;

template <class T, class M, class Access>
void assign(T& object, M value, const Access& access) {
    if constexpr (requires { access.set(object, std::move(value)); }) {
        access.set(object, std::move(value));
    } else if constexpr (std::is_invocable_v<const Access&, T&, M>) {
        access(object, std::move(value));
    } else {
        std::invoke(access, object) = std::move(value);
    }
}

// The default of a field is what a new T holds: it is written nowhere else.
template <class T, class M, class Access>
std::string standard_of(const Type<M>& type, const Access& access) {
    if constexpr (requires { access.get(T{}); }) {
        return type.spell ? type.spell(access.get(T{})) : "";
    } else if constexpr (!std::is_invocable_v<const Access&, T&, M>) {
        T fresh{};
        if constexpr (std::is_same_v<std::decay_t<decltype(std::invoke(access, fresh))>, M>) {
            return type.spell ? type.spell(std::invoke(access, fresh)) : "";
        }
    }
    return {};
}

enum class Presence : std::uint8_t { optional, required };

// A flaw that shows only when all fields are read; `key` is empty when it is not about one of them.
struct Flaw {
    std::string key;
    Problem problem;
};
void report_flaw(Reader& reader, const Node& node, const Flaw& flaw);

template <class T>
class Object {
public:
    Object(std::string name, std::string sentence) : definition_(std::make_shared<Definition>()) {
        definition_->section.name = std::move(name);
        definition_->section.sentence = std::move(sentence);
    }

    // The fields that follow belong to these words of the tag only; none: to all.
    Object& only(std::vector<std::string> tags) {
        tags_ = std::move(tags);
        return *this;
    }

    // `access`: a pointer to the member, a function that gives a reference to it, a function
    // (T&, M) that stores it, or a Property.
    template <class M, class Access>
    Object& field(std::string name, Type<M> type, Access access, std::string sentence,
                  Presence presence = Presence::optional) {
        const bool required = presence == Presence::required;
        std::string standard = required ? "" : standard_of<T>(type, access);
        definition_->section.fields.push_back({std::move(name), type.shape, std::move(sentence),
                                               std::move(standard), required, tags_});
        definition_->readers.push_back(
            [read = type.read, access](Reader& reader, const Node& node, T& object) {
                M value{};
                if (!read(reader, node, value)) { return false; }
                assign(object, std::move(value), access);
                return true;
            });
        return *this;
    }

    template <class Enumeration, class Access>
    Object& tag(std::string name, Type<Enumeration> type, Access access, std::string sentence) {
        definition_->section.tag = name;
        for (const auto& entry : words<Enumeration>()) {
            definition_->section.tag_words.emplace_back(entry.word);
        }
        definition_->set_tag = [access](T& object, std::string_view word) {
            for (const auto& entry : words<Enumeration>()) {
                if (entry.word == word) { assign(object, entry.value, access); }
            }
        };
        return field(std::move(name), std::move(type), access, std::move(sentence),
                     Presence::required);
    }

    Object& exactly_one(std::vector<std::string> keys) {
        definition_->section.exactly_one.push_back(std::move(keys));
        return *this;
    }
    Object& at_most_one(std::vector<std::string> keys) {
        definition_->section.at_most_one.push_back(std::move(keys));
        return *this;
    }
    Object& check(std::function<std::optional<Flaw>(const T&)> check) {
        definition_->checks.push_back(std::move(check));
        return *this;
    }
    Object& located(Location T::* location) {
        definition_->locate = [location](T& object, Location at) { object.*location = at; };
        return *this;
    }
    // A scalar of this type may stand instead of the map.
    template <class M>
    Object& shorthand(Type<M> type, std::function<void(T&, M)> set) {
        definition_->section.shorthand = type.shape.schema;
        definition_->shorthand_word = type.shape.word + " or ";
        definition_->read_shorthand = [read = type.read, set](Reader& reader, const Node& node,
                                                              T& object) {
            M value{};
            if (!read(reader, node, value)) { return false; }
            set(object, std::move(value));
            return true;
        };
        return *this;
    }

    Type<T> type() const { return type_with(definition_, {}); }
    // For a map whose tag is known from where it stands.
    Type<T> type_for(const std::string& tag) const {
        auto copy = std::make_shared<Definition>(*definition_);
        copy->section.tag_from_outside = true;
        return type_with(std::move(copy), tag);
    }

private:
    struct Definition {
        Section section;
        std::vector<std::function<bool(Reader&, const Node&, T&)>> readers;
        std::vector<std::function<std::optional<Flaw>(const T&)>> checks;
        std::function<void(T&, std::string_view)> set_tag;
        std::function<void(T&, Location)> locate;
        std::function<bool(Reader&, const Node&, T&)> read_shorthand;
        std::string shorthand_word;
    };

    static Type<T> type_with(std::shared_ptr<const Definition> definition, std::string tag) {
        const Section& section = definition->section;
        const std::string target = tag.empty() ? section.name : section.name + "." + tag;
        boost::json::object schema{{"$ref", "#/$defs/" + target}};
        if (!section.shorthand.empty()) { schema = any_of({section.shorthand, schema}); }
        Shape shape{"a map",
                    definition->shorthand_word + "[" + section.name + "](#" + section.name + ")",
                    std::move(schema),
                    {std::shared_ptr<const Section>(definition, &section)}};
        return {std::move(shape), [definition, tag](Reader& reader, const Node& node, T& object) {
                    return read(*definition, tag, reader, node, object);
                }};
    }

    static bool read(const Definition& definition, const std::string& tag, Reader& reader,
                     const Node& node, T& object) {
        if (definition.locate) { definition.locate(object, Reader::location(node.place)); }
        if (definition.read_shorthand && node.kind == Node::Kind::scalar) {
            return definition.read_shorthand(reader, node, object);
        }
        if (!tag.empty()) { definition.set_tag(object, tag); }
        if (!read_fields(reader, node, definition.section, tag,
                         [&](std::size_t index, const Node& value) {
                             return definition.readers[index](reader, value, object);
                         })) {
            return false;
        }
        for (const auto& check : definition.checks) {
            if (const auto flaw = check(object)) {
                report_flaw(reader, node, *flaw);
                return false;
            }
        }
        return true;
    }

    std::shared_ptr<Definition> definition_;
    std::vector<std::string> tags_;
};

enum class Bare : std::uint8_t { no, yes };

// A map with exactly one key, which says what the value is: "- reserve: {...}".
template <class V>
class Choice {
public:
    Choice(std::string name, std::string sentence) : definition_(std::make_shared<Definition>()) {
        definition_->section.name = std::move(name);
        definition_->section.sentence = std::move(sentence);
        definition_->section.single_key = true;
    }

    // With Bare::yes the plain word stands for a map without keys.
    template <class M>
    Choice& alternative(std::string name, Type<M> type, std::function<void(V&, M)> set,
                        std::string sentence, Bare bare = Bare::no) {
        if (bare == Bare::yes) { definition_->section.bare.push_back(name); }
        definition_->section.fields.push_back(
            {std::move(name), type.shape, std::move(sentence), "", false, {}});
        definition_->readers.push_back(
            [read = type.read, set](Reader& reader, const Node& node, V& value) {
                M part{};
                if (!read(reader, node, part)) { return false; }
                set(value, std::move(part));
                return true;
            });
        return *this;
    }

    Type<V> type() const {
        const std::string& name = definition_->section.name;
        Shape shape{"a map with one key",
                    "[" + name + "](#" + name + ")",
                    {{"$ref", "#/$defs/" + name}},
                    {std::shared_ptr<const Section>(definition_, &definition_->section)}};
        return {std::move(shape),
                [definition = definition_](Reader& reader, const Node& node, V& value) {
                    return read_single_key(reader, node, definition->section,
                                           [&](std::size_t index, const Node& part) {
                                               return definition->readers[index](reader, part,
                                                                                 value);
                                           });
                }};
    }

private:
    struct Definition {
        Section section;
        std::vector<std::function<bool(Reader&, const Node&, V&)>> readers;
    };
    std::shared_ptr<Definition> definition_;
};

}  // namespace rushproof::simulator
