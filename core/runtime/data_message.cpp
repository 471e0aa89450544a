#include "core/runtime/data_message.hpp"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>

#include "core/runtime/base64.hpp"
#include "core/runtime/json.hpp"

namespace rushproof {

namespace json = boost::json;

namespace {

constexpr std::string_view accepted_header = "rushproof-accepted-at";  // microseconds since 1970

Error malformed(std::string message) {
    return Error(ErrorKind::permanent, "malformed", std::move(message));
}

// A parsed body; a small one costs no allocation.
class Body {
public:
    explicit Body(std::string_view text)
        : memory_(buffer_.data(), buffer_.size()), value_(json::parse(text, error_, &memory_)) {}

    Result<const json::object*> object() const {
        if (error_) { return failure(malformed("the body is not JSON: " + error_.message())); }
        const json::object* object = value_.if_object();
        if (object == nullptr) { return failure(malformed("the body must be a JSON object")); }
        return object;
    }

private:
    std::array<unsigned char, 4096> buffer_;
    json::monotonic_resource memory_;
    boost::system::error_code error_;
    json::value value_;
};

// Null where it is absent or null.
const json::value* find(const json::object& object, std::string_view member) {
    const json::value* found = object.if_contains(member);
    return found == nullptr || found->is_null() ? nullptr : found;
}

Result<std::string> text_in(const json::object& object, std::string_view member) {
    const json::value* found = find(object, member);
    if (found == nullptr) { return std::string(); }
    if (!found->is_string()) {
        return failure(malformed(std::string(member) + " must be a string"));
    }
    return std::string(found->get_string());
}

Result<std::int64_t> integer_in(const json::object& object, std::string_view member) {
    const json::value* found = find(object, member);
    if (found == nullptr) { return 0; }
    if (!found->is_int64()) {
        return failure(malformed(std::string(member) + " must be a 64-bit integer"));
    }
    return found->get_int64();
}

Result<Metadata> metadata_in(const json::object& object) {
    Metadata metadata;
    const json::value* found = find(object, "metadata");
    if (found == nullptr) { return metadata; }
    if (!found->is_object()) { return failure(malformed("metadata must be an object")); }
    for (const auto& [name, value] : found->get_object()) {
        if (!value.is_string()) {
            return failure(malformed("metadata." + std::string(name) + " must be a string"));
        }
        metadata.emplace_back(name, value.get_string());
    }
    return metadata;
}

// How many bytes a character of UTF-8 has by its first one; 0: it is none.
std::size_t length_of(unsigned char first) {
    if (first < 0x80) { return 1; }
    if (first >= 0xC2 && first < 0xE0) { return 2; }
    if (first >= 0xE0 && first < 0xF0) { return 3; }
    if (first >= 0xF0 && first < 0xF5) { return 4; }
    return 0;
}

bool is_character(std::string_view bytes) {
    for (const char c : bytes.substr(1)) {
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) { return false; }
    }
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto second = static_cast<unsigned char>(bytes.size() > 1 ? bytes[1] : '\0');
    switch (first) {
        case 0xE0: return second >= 0xA0;  // else it is too long
        case 0xED: return second < 0xA0;   // half of a pair
        case 0xF0: return second >= 0x90;
        case 0xF4: return second < 0x90;
        default: return true;
    }
}

}  // namespace

std::string_view header_of(const Message& message, std::string_view name) {
    for (const auto& [given, value] : message.headers) {
        if (given == name) { return value; }
    }
    return {};
}

void set_accepted_at(Message& message, WallTime at) {
    message.headers.emplace_back(accepted_header, std::to_string(at.time_since_epoch().count()));
}

std::optional<WallTime> accepted_at(const Message& message) {
    const std::string_view text = header_of(message, accepted_header);
    const char* const end = text.data() + text.size();
    std::int64_t microseconds = 0;
    const auto [read, error] = std::from_chars(text.data(), end, microseconds);
    if (error != std::errc() || read != end) { return std::nullopt; }
    return WallTime(std::chrono::microseconds(microseconds));
}

std::string to_json(const DataMessage& message) {
    std::string payload;
    append_base64(payload, message.payload);
    JsonWriter json;
    json.begin_object();
    if (!message.id.empty()) { json.member("id", message.id); }
    if (message.timestamp != 0) { json.member("timestamp", message.timestamp); }
    if (!message.source.empty()) { json.member("source", message.source); }
    if (!payload.empty()) { json.member("payload", payload); }
    if (!message.metadata.empty()) {
        json.begin_object("metadata");
        for (const auto& [name, value] : message.metadata) { json.entry(name, value); }
        json.end_object();
    }
    json.end_object();
    return std::move(json).text();
}

Result<DataMessage> parse_data_message(std::string_view text) {
    const Body body(text);
    RP_TRY(const json::object* object, body.object());
    DataMessage message;
    RP_TRY(message.id, text_in(*object, "id"));
    RP_TRY(message.timestamp, integer_in(*object, "timestamp"));
    RP_TRY(message.source, text_in(*object, "source"));
    RP_TRY(message.metadata, metadata_in(*object));
    const json::value* payload = find(*object, "payload");
    if (payload != nullptr) {
        const json::string* encoded = payload->if_string();
        auto decoded = encoded != nullptr ? base64_decoded(*encoded) : std::nullopt;
        if (!decoded) { return failure(malformed("payload must be base64")); }
        message.payload = *std::move(decoded);
    }
    return message;
}

Result<IngestBody> parse_ingest_body(std::string_view text) {
    const Body body(text);
    RP_TRY(const json::object* object, body.object());
    IngestBody message;
    RP_TRY(message.source, text_in(*object, "source"));
    RP_TRY(message.data, text_in(*object, "data"));
    RP_TRY(message.metadata, metadata_in(*object));
    return message;
}

std::string_view ordering_key(const Metadata& metadata, std::string_view source) {
    for (const auto& [name, value] : metadata) {
        if (name == "key") { return value; }
    }
    return source;
}

Result<void> check_data(std::string_view source, std::string_view payload,
                        const Metadata& metadata) {
    if (source.size() > data_limits::source_length || !is_storable_text(source)) {
        return failure(malformed("source must be UTF-8 without NUL, at most " +
                                 std::to_string(data_limits::source_length) + " bytes"));
    }
    const std::string_view key = ordering_key(metadata, source);
    if (key.size() > data_limits::key_length || !is_storable_text(key)) {
        return failure(malformed("metadata.key must be UTF-8 without NUL, at most " +
                                 std::to_string(data_limits::key_length) + " bytes"));
    }
    std::size_t bytes = 0;
    for (const auto& [name, value] : metadata) { bytes += name.size() + value.size(); }
    if (bytes > data_limits::metadata_bytes) {
        return failure(
            ErrorKind::permanent, "too-large",
            "metadata has more than " + std::to_string(data_limits::metadata_bytes) + " bytes");
    }
    if (payload.size() > data_limits::payload_bytes) {
        return failure(
            ErrorKind::permanent, "too-large",
            "the data has more than " + std::to_string(data_limits::payload_bytes) + " bytes");
    }
    return {};
}

bool is_storable_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = length_of(static_cast<unsigned char>(text[i]));
        if (text[i] == '\0' || length == 0 || i + length > text.size()) { return false; }
        if (!is_character(text.substr(i, length))) { return false; }
        i += length;
    }
    return true;
}

}  // namespace rushproof
