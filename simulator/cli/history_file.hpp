// Reads a history in whichever of its two forms a file holds.
#pragma once
#include <string>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// "-" is standard input.  Errors say where and what to do.
Result<History> read_history(const std::string& file);

}  // namespace rushproof::simulator
