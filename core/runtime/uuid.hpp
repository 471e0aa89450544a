#pragma once
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/ports/random.hpp"

namespace rushproof {

// A random UUID (RFC 9562, version 4) in its 36 characters, lower case.
std::string uuid_v4(Random& random);

// One of version 4 by its form that begins with the time, to a quarter of a microsecond (a COMB;
// the layout is that of version 7): the ids of a moment are neighbours, so an index gets them at
// its end and not all over.  Sixty-two bits are random.
std::string uuid_comb(WallTime now, Random& random);

// The same for the same names (version 5, by SHA-1, so nobody finds other names that give it).
std::string uuid_of(std::string_view first_name, std::string_view second_name);

}  // namespace rushproof
