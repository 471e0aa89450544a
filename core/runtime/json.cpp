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

bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

}  // namespace

JsonBody::JsonBody(std::string_view body)
    : memory_(buffer_.data(), buffer_.size()), value_(parse_object(body, &memory_)) {}

Result<const json::value*> JsonBody::find(std::string_view member) const {
    if (!value_) { return failure(value_.error()); }
    const json::value* found = value_->get_object().if_contains(member);
    if (found == nullptr) { return failure(malformed(std::string(member) + " is missing")); }
    return found;
}

Result<std::string_view> JsonBody::text(std::string_view member) const {
    RP_TRY(const json::value* found, find(member));
    if (!found->is_string()) {
        return failure(malformed(std::string(member) + " must be a string"));
    }
    return std::string_view(found->get_string());
}

Result<std::int64_t> JsonBody::integer(std::string_view member) const {
    RP_TRY(const json::value* found, find(member));
    if (!found->is_int64()) {
        return failure(malformed(std::string(member) + " must be a 64-bit integer"));
    }
    return found->get_int64();
}

void JsonWriter::begin_object() {
    separate();
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
