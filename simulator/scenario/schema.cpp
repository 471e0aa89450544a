#include "simulator/scenario/schema.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "simulator/scenario/tables.hpp"
#include "simulator/scenario/thresholds.hpp"

namespace rushproof::simulator {

namespace {

namespace json = boost::json;

using Sections = std::vector<const Section*>;

// Every section that can be reached, each once, in the order in which a reader meets them.
void collect(const Shape& shape, Sections& sections) {
    for (const auto& section : shape.sections) {
        if (std::ranges::find(sections, section->name, &Section::name) != sections.end()) {
            continue;
        }
        sections.push_back(section.get());
        for (const auto& field : section->fields) { collect(field.shape, sections); }
    }
}

bool belongs(const FieldShape& field, std::string_view tag) {
    return tag.empty() || field.tags.empty() ||
           std::ranges::find(field.tags, tag) != field.tags.end();
}

// --- JSON Schema ---

json::object property(const FieldShape& field) {
    json::object schema = field.shape.schema;
    std::string description = field.sentence;
    if (!field.shape.notes.empty()) { description += ". " + field.shape.notes; }
    schema["description"] = description;
    if (!field.standard.empty()) {
        schema["description"] = description + " (default " + field.standard + ")";
    }
    return schema;
}

json::object required_key(const std::string& key) { return {{"required", json::array{key}}}; }

// The map of one section, for one word of its tag or, with an empty one, for a section without.
json::object map_schema(const Section& section, const std::string& tag) {
    json::object properties;
    json::array required;
    for (const auto& field : section.fields) {
        if (!belongs(field, tag)) { continue; }
        if (field.name == section.tag) {
            if (section.tag_from_outside) { continue; }
            properties[field.name] = json::object{{"const", tag}};
        } else {
            properties[field.name] = property(field);
        }
        if (field.required) { required.emplace_back(field.name); }
    }
    json::object schema{{"type", "object"},
                        {"description", section.sentence},
                        {"properties", std::move(properties)},
                        {"additionalProperties", false}};
    if (!required.empty()) { schema["required"] = std::move(required); }
    json::array rules;
    for (const auto& keys : section.exactly_one) {
        json::array one;
        for (const auto& key : keys) { one.push_back(required_key(key)); }
        rules.push_back(json::object{{"oneOf", std::move(one)}});
    }
    for (const auto& keys : section.at_most_one) {
        rules.push_back(
            json::object{{"not", {{"required", json::array(keys.begin(), keys.end())}}}});
    }
    if (!rules.empty()) { schema["allOf"] = std::move(rules); }
    return schema;
}

json::object single_key_schema(const Section& section) {
    json::object properties;
    for (const auto& field : section.fields) { properties[field.name] = property(field); }
    json::object schema{{"type", "object"},
                        {"description", section.sentence},
                        {"properties", std::move(properties)},
                        {"additionalProperties", false},
                        {"minProperties", 1},
                        {"maxProperties", 1}};
    if (section.bare.empty()) { return schema; }
    const json::array bare(section.bare.begin(), section.bare.end());
    return any_of({{{"enum", bare}}, std::move(schema)});
}

void define(const Section& section, json::object& definitions) {
    if (section.single_key) {
        definitions[section.name] = single_key_schema(section);
    } else if (section.tag.empty()) {
        definitions[section.name] = map_schema(section, {});
    } else {
        json::array variants;
        for (const auto& word : section.tag_words) {
            const std::string name = section.name + '.' + word;
            definitions[name] = map_schema(section, word);
            variants.push_back(json::object{{"$ref", "#/$defs/" + name}});
        }
        if (section.tag_from_outside) { return; }
        // A word that comes from the matrix: which fields there are is known only then.
        variants.push_back(json::object{
            {"type", "object"},
            {"properties", {{section.tag, {{"type", "string"}, {"pattern", R"(\$\{\{)"}}}}},
            {"required", json::array{section.tag}}});
        definitions[section.name] =
            json::object{{"description", section.sentence}, {"oneOf", std::move(variants)}};
    }
}

// Boost.JSON writes one line; a schema is read and compared by people.
void write_pretty(const json::value& value, const std::string& indent, std::string& out) {
    const auto write_all = [&](char open, char close, const auto& items, const auto& write_item) {
        out += open;
        const std::string inner = indent + "  ";
        bool first = true;
        for (const auto& item : items) {
            out += (first ? "\n" : ",\n") + inner;
            first = false;
            write_item(item, inner);
        }
        out += first ? "" : "\n" + indent;
        out += close;
    };
    if (const auto* const object = value.if_object()) {
        write_all('{', '}', *object, [&](const auto& pair, const std::string& inner) {
            out += json::serialize(json::string(pair.key())) + ": ";
            write_pretty(pair.value(), inner, out);
        });
    } else if (const auto* const array = value.if_array();
               array != nullptr && !array->empty() && array->front().is_structured()) {
        write_all('[', ']', *array, [&](const json::value& item, const std::string& inner) {
            write_pretty(item, inner, out);
        });
    } else {
        out += json::serialize(value);
    }
}

// --- the reference ---

std::string table_text(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) {
        text.insert(at, "\\");
    }
    return text;
}

std::string only_for(const Section& section, const FieldShape& field) {
    if (field.tags.empty() || section.tag.empty()) { return {}; }
    std::string words;
    for (const auto& word : field.tags) { words += (words.empty() ? " *" : ", *") + word + '*'; }
    return "Only with" + words + ". ";
}

void write_section(const Section& section, std::string& out) {
    out += "\n### " + section.name + "\n\n" + section.sentence;
    if (section.single_key) {
        out += " Exactly one of these keys";
        out +=
            section.bare.empty() ? ".\n" : "; a word alone stands for the key without options.\n";
    } else {
        out += '\n';
    }
    for (const auto& keys : section.exactly_one) {
        out += "Exactly one of";
        for (const auto& key : keys) { out += " `" + key + '`'; }
        out += ".\n";
    }
    if (std::ranges::none_of(section.fields, [&](const FieldShape& field) {
            return !(section.tag_from_outside && field.name == section.tag);
        })) {
        return;
    }
    out += "\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    for (const auto& field : section.fields) {
        if (section.tag_from_outside && field.name == section.tag) { continue; }
        const std::string standard = field.required           ? "required"
                                     : field.standard.empty() ? ""
                                                              : '`' + field.standard + '`';
        std::string meaning = only_for(section, field) + field.sentence;
        if (!field.shape.notes.empty()) { meaning += ". " + field.shape.notes; }
        out += "| `" + field.name + "` | " + table_text(field.shape.word) + " | " +
               table_text(standard) + " | " + table_text(meaning) + " |\n";
    }
}

void write_metrics(std::string& out) {
    out +=
        "\n### metrics\n\nWhat thresholds may speak of.\n\n"
        "| Metric | Aggregates | Meaning |\n|---|---|---|\n";
    for (const auto& metric : known_metrics()) {
        std::string aggregates;
        for (const Aggregate aggregate : aggregates_of(metric.unit)) {
            aggregates += aggregates.empty() ? "`" : ", `";
            aggregates += to_string(aggregate);
            aggregates += aggregate == Aggregate::percentile ? "(99)`" : "`";
        }
        out += "| `" + metric.name + "` | " + aggregates + " | " + metric.sentence + " |\n";
    }
}

}  // namespace

std::string scenario_json_schema() {
    const auto& type = document_type();
    Sections sections;
    collect(type.shape, sections);
    json::object definitions;
    for (const Section* const section : sections) { define(*section, definitions); }
    json::object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", "Rushproof scenario, version " + std::to_string(format_version)},
                        {"$ref", type.shape.schema.at("$ref")},
                        {"$defs", std::move(definitions)}};
    std::string out;
    write_pretty(schema, "", out);
    return out + '\n';
}

std::string scenario_reference() {
    const auto& type = document_type();
    Sections sections;
    collect(type.shape, sections);
    std::string out;
    for (const Section* const section : sections) { write_section(*section, out); }
    write_metrics(out);
    return out.substr(1);
}

}  // namespace rushproof::simulator
