#include "core/runtime/message_size.hpp"

#include <string>

namespace rushproof {

std::size_t bytes_of(const Message& message) {
    std::size_t bytes = message.id.size() + message.key.size() + message.body.size();
    for (const auto& [name, value] : message.headers) { bytes += name.size() + value.size(); }
    return bytes;
}

Result<void> check_size(const Message& message, std::size_t bytes_max) {
    if (bytes_of(message) <= bytes_max) { return {}; }
    return failure(
        ErrorKind::permanent, "too-large",
        "a message has " + std::to_string(bytes_max) + " bytes at most, with its key and headers");
}

}  // namespace rushproof
