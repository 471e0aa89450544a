// How large a message is: what every provider bounds that counts for itself.
#pragma once
#include <cstddef>

#include "core/ports/message_queue.hpp"

namespace rushproof {

// With its id, its key and its headers.
std::size_t bytes_of(const Message& message);

// Error: permanent "too-large".
Result<void> check_size(const Message& message, std::size_t bytes_max);

}  // namespace rushproof
