// Opens a history file, of either form.
#pragma once
#include <string>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// "-" is standard input.  Errors say where and what to do.
Result<History> read_history_file(const std::string& file);

}  // namespace rushproof::simulator
