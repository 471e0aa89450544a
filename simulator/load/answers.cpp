#include "simulator/load/answers.hpp"

#include "core/runtime/json.hpp"

namespace rushproof::simulator {

namespace {

// What a status alone says about the effect of the request.
ErrorKind kind_of(int status) {
    if (status == 429 || status == 503) { return ErrorKind::retryable; }
    return status >= 400 && status < 500 ? ErrorKind::permanent : ErrorKind::unknown_outcome;
}

}  // namespace

Error problem_error(const HttpResponse& response) {
    const JsonBody body(response.body);
    const auto code = body.text("code");
    const auto detail = body.text("detail");
    const auto named = body.text("kind");
    ErrorKind kind = kind_of(response.status);
    for (const ErrorKind known :
         {ErrorKind::retryable, ErrorKind::permanent, ErrorKind::unknown_outcome}) {
        if (named && *named == to_string(known)) { kind = known; }
    }
    return Error(kind, code ? std::string(*code) : "status-" + std::to_string(response.status),
                 detail ? std::string(*detail) : std::string());
}

std::string text_in(const boost::json::object& object, std::string_view member) {
    const boost::json::value* found = object.if_contains(member);
    if (found == nullptr || !found->is_string()) { return {}; }
    return std::string(found->get_string());
}

std::int64_t integer_in(const boost::json::object& object, std::string_view member) {
    const boost::json::value* found = object.if_contains(member);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

std::string path_segment(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string escaped;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            escaped += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        escaped += '%';
        escaped += hex[byte >> 4];
        escaped += hex[byte & 15];
    }
    return escaped;
}

}  // namespace rushproof::simulator
