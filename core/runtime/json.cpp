#include "core/runtime/json.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>

namespace rushproof {

namespace json = boost::json;

namespace {

Error malformed(std::string message) {
    return Error(ErrorKind::permanent, "malformed", std::move(message));
}

Result<json::value> parse_object(std::string_view body, const json::storage_ptr& memory) {
    boost::system::error_code error;
    json::value value = json::parse(body, error, memory);
    if (error) { return failure(malformed("the body is not JSON: " + error.message())); }
    if (!value.is_object()) { return failure(malformed("the body must be a JSON object")); }
    return value;
}

bool needs_escape(char c) {
    return (c == '"') | (c == '\\') | (static_cast<unsigned char>(c) < 0x20);
}

// Looks at all characters without a branch, which compilers turn into a few wide instructions.
bool is_plain(std::string_view text) {
    unsigned char special = 0;
    for (const char c : text) { special |= static_cast<unsigned char>(needs_escape(c)); }
    return special == 0;
}

}  // namespace

JsonBody::JsonBody(std::string_view body)
    : memory_(buffer_.data(), buffer_.size()), value_(parse_object(body, &memory_)) {}

namespace {

Result<const json::value*> find_in(const json::object& object, const std::string& place,
                                   std::string_view member) {
    const json::value* found = object.if_contains(member);
    if (found == nullptr) {
        return failure(malformed(place + std::string(member) + " is missing"));
    }
    return found;
}

Result<std::string_view> as_text(const json::value& value, const std::string& place) {
    if (!value.is_string()) { return failure(malformed(place + " must be a string")); }
    return std::string_view(value.get_string());
}

Result<std::int64_t> as_integer(const json::value& value, const std::string& place) {
    if (!value.is_int64()) { return failure(malformed(place + " must be a 64-bit integer")); }
    return value.get_int64();
}

Result<const json::object*> as_object(const json::value& value, std::string_view place) {
    const json::object* object = value.if_object();
    if (object == nullptr) { return failure(malformed(std::string(place) + " must be an object")); }
    return object;
}

Result<void> only_in(const json::object& object, const std::string& place,
                     std::initializer_list<std::string_view> members) {
    for (const auto& [name, value] : object) {
        const std::string_view given(name);
        if (std::find(members.begin(), members.end(), given) != members.end()) { continue; }
        std::string known;
        for (const std::string_view member : members) {
            known += (known.empty() ? "" : ", ") + std::string(member);
        }
        return failure(
            malformed(place + std::string(given) + " is not known here; there are " + known));
    }
    return {};
}

std::string place_of(std::string_view array, std::size_t index) {
    return std::string(array) + '[' + std::to_string(index) + "].";
}

}  // namespace

Result<const json::value*> JsonBody::find(std::string_view member) const {
    if (!value_) { return failure(value_.error()); }
    const std::size_t dot = member.find('.');
    if (dot == std::string_view::npos) { return find_in(value_->get_object(), {}, member); }
    RP_TRY(const json::value* outer, find_in(value_->get_object(), {}, member.substr(0, dot)));
    RP_TRY(const json::object* object, as_object(*outer, member.substr(0, dot)));
    return find_in(*object, std::string(member.substr(0, dot + 1)), member.substr(dot + 1));
}

Result<void> JsonBody::only(std::initializer_list<std::string_view> members) const {
    if (!value_) { return failure(value_.error()); }
    return only_in(value_->get_object(), {}, members);
}

Result<void> JsonBody::only(std::string_view object,
                            std::initializer_list<std::string_view> members) const {
    RP_TRY(const json::value* outer, find(object));
    RP_TRY(const json::object* found, as_object(*outer, object));
    return only_in(*found, std::string(object) + '.', members);
}

bool JsonBody::has(std::string_view member) const { return find(member).has_value(); }

bool JsonBody::is_null(std::string_view member) const {
    const auto found = find(member);
    return found && (*found)->is_null();
}

Result<std::string_view> JsonBody::text(std::string_view member) const {
    RP_TRY(const json::value* found, find(member));
    return as_text(*found, std::string(member));
}

Result<std::int64_t> JsonBody::integer(std::string_view member) const {
    RP_TRY(const json::value* found, find(member));
    return as_integer(*found, std::string(member));
}

Result<std::size_t> JsonBody::size(std::string_view array) const {
    RP_TRY(const json::value* found, find(array));
    const json::array* elements = found->if_array();
    if (elements == nullptr ||
        !std::all_of(elements->begin(), elements->end(),
                     [](const json::value& element) { return element.is_object(); })) {
        return failure(malformed(std::string(array) + " must be an array of objects"));
    }
    return elements->size();
}

Result<std::string_view> JsonBody::text(std::string_view array, std::size_t index,
                                        std::string_view member) const {
    RP_TRY(const json::value* found, find(array));
    const std::string place = place_of(array, index);
    RP_TRY(const json::value* value,
           find_in(found->as_array().at(index).as_object(), place, member));
    return as_text(*value, place + std::string(member));
}

Result<std::int64_t> JsonBody::integer(std::string_view array, std::size_t index,
                                       std::string_view member) const {
    RP_TRY(const json::value* found, find(array));
    const std::string place = place_of(array, index);
    RP_TRY(const json::value* value,
           find_in(found->as_array().at(index).as_object(), place, member));
    return as_integer(*value, place + std::string(member));
}

void JsonWriter::begin_object() {
    separate();
    text_ += '{';
    first_ = true;
}

void JsonWriter::begin_object(std::string_view object_name) {
    name(object_name);
    text_ += '{';
    first_ = true;
}

void JsonWriter::end_object() {
    text_ += '}';
    first_ = false;
}

void JsonWriter::begin_array(std::string_view array_name) {
    name(array_name);
    text_ += '[';
    first_ = true;
}

void JsonWriter::end_array() {
    text_ += ']';
    first_ = false;
}

void JsonWriter::member(std::string_view member_name, std::string_view value) {
    name(member_name);
    quote(value);
}

void JsonWriter::member(std::string_view member_name, std::int64_t value) {
    name(member_name);
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text_.append(digits, end);
}

void JsonWriter::flag(std::string_view member_name, bool value) {
    name(member_name);
    text_ += value ? "true" : "false";
}

void JsonWriter::value(std::string_view member_name, std::string_view json) {
    name(member_name);
    text_ += json;
}

void JsonWriter::entry(std::string_view any_name, std::string_view value) {
    separate();
    quote(any_name);
    text_ += ':';
    quote(value);
}

void JsonWriter::separate() {
    if (!first_) { text_ += ','; }
    first_ = false;
}

void JsonWriter::name(std::string_view member_name) {
    separate();
    text_ += '"';
    text_ += member_name;
    text_ += "\":";
}

void JsonWriter::quote(std::string_view value) {
    constexpr std::string_view hex = "0123456789abcdef";
    text_ += '"';
    if (is_plain(value)) {
        text_ += value;
        text_ += '"';
        return;
    }
    while (true) {
        const auto special = std::find_if(value.begin(), value.end(), &needs_escape);
        const auto plain = static_cast<std::size_t>(special - value.begin());
        text_.append(value.substr(0, plain));
        if (special == value.end()) { break; }
        const auto byte = static_cast<unsigned char>(*special);
        if (byte < 0x20) {
            text_ += "\\u00";
            text_ += hex[byte >> 4];
            text_ += hex[byte & 15];
        } else {
            text_ += '\\';
            text_ += *special;
        }
        value.remove_prefix(plain + 1);
    }
    text_ += '"';
}

}  // namespace rushproof
