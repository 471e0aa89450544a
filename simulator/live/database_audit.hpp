// After shutdown: what the database itself says, against what the public API said.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

struct DatabaseContents {
    std::map<std::string, FinalStock> stock;  // by SKU
    std::size_t ledger_rows = 0;
};

// Both read only.  Error: permanent "cannot-read".
Result<DatabaseContents> read_sqlite(const std::filesystem::path& file);
Result<DatabaseContents> read_postgres(const std::string& url);

// Disagreements, one sentence each; empty when the database confirms the audited history.
std::vector<std::string> compare_with_database(const History& history,
                                               const Result<DatabaseContents>& contents);

}  // namespace rushproof::simulator
