// A Context as text, for HTTP fields and gRPC metadata: any bytes percent-encoded, the trace as W3C
// traceparent.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/context.hpp"

namespace rushproof {

// Letters, digits and "-._~" stand for themselves.
std::string percent_encoded(std::string_view text);
// Nothing when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

// W3C traceparent.  Anything that is not one gives the empty trace.
TraceId parse_traceparent(std::string_view text);
std::string format_traceparent(const TraceId& trace);

}  // namespace rushproof
