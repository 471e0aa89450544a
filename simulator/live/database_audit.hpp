// After shutdown: what the database file itself says, against what the public API said.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// Disagreements, one sentence each; empty when the file confirms the audited history.
std::vector<std::string> compare_with_database(const History& history,
                                               const std::filesystem::path& database);

}  // namespace rushproof::simulator
