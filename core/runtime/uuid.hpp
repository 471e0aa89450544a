#pragma once
#include <string>
#include <string_view>

#include "core/ports/random.hpp"

namespace rushproof {

// A random UUID (RFC 9562, version 4) in its 36 characters, lower case.
std::string uuid_v4(Random& random);

// The same for the same names (version 5, by SHA-1, so nobody finds other names that give it).
std::string uuid_of(std::string_view first_name, std::string_view second_name);

}  // namespace rushproof
