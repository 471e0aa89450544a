// The small texts of HTTP: percent coding, status lines, trace context.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/ports/context.hpp"

namespace rushproof {

// Letters, digits and "-._~" stand for themselves.
std::string percent_encoded(std::string_view text);
// Nothing when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

bool same_ignoring_case(std::string_view a, std::string_view b);

std::string_view status_reason(int status);
// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(WallTime at);
// "\r\nname: value"; control characters in the value become spaces.
void append_field(std::string& out, std::string_view name, std::string_view value);

// W3C traceparent.  Anything that is not one gives the empty trace.
TraceId parse_traceparent(std::string_view text);
std::string format_traceparent(const TraceId& trace);

}  // namespace rushproof
