#pragma once
#include <string>

#include "core/base/time.hpp"

namespace rushproof {

// "2026-08-01T12:00:00.000250Z": RFC 3339, UTC, always six digits of a second.  For the
// years 0 to 9999.
std::string to_rfc3339(WallTime time);

}  // namespace rushproof
