// Cases drawn from a seed.
#pragma once
#include <cstdint>

#include "tests/conformance/database/case.hpp"

namespace rushproof::conformance {

// What a random case is made of.
enum class Mix : std::uint8_t { rows, row_locks, snapshots, locks, serializable, one_writer };
// Of PostgreSQL.
constexpr Mix mixes[] = {Mix::rows, Mix::row_locks, Mix::snapshots, Mix::locks, Mix::serializable};
std::string to_text(Mix mix);

// Two to four sessions, each in transactions of its own, then all of them to their end.  The engine
// is asked who waits, and what it does is the case's record.
Case draw_case(Mix mix, std::uint64_t seed, Engine& engine);

}  // namespace rushproof::conformance
