#pragma once
#include <string>

#include "core/ports/random.hpp"

namespace rushproof {

// A random UUID (RFC 9562, version 4) in its 36 characters, lower case.
std::string uuid_v4(Random& random);

}  // namespace rushproof
