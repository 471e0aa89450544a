// Bytes as text (RFC 4648, the standard alphabet, with padding).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace rushproof {

void append_base64(std::string& out, std::string_view bytes);
// Nothing when it is none: line breaks and missing padding are mistakes.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace rushproof
