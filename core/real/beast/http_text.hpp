// The small texts of HTTP: status lines, dates, fields, refusals.
#pragma once
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/ports/http.hpp"

namespace rushproof {

inline bool same_ignoring_case(std::string_view a, std::string_view b) {
    constexpr auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    if (a.size() != b.size()) { return false; }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) { return false; }
    }
    return true;
}

std::string_view status_reason(int status);
// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(WallTime at);
// "\r\nname: value"; control characters in the value become spaces.
void append_field(std::string& out, std::string_view name, std::string_view value);
// The path and the queries; what may not stand in them percent-encoded.
std::string target_of(const HttpRequest& request);

// The response, with Retry-After: whole seconds, at least one.
HttpResponse later(HttpResponse response, Duration wait);
// What a server answers by itself to a request that it does not take.
HttpResponse refusal_for(int status);

}  // namespace rushproof
