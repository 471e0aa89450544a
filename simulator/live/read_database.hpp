// What a real database holds after the processes have ended.
#pragma once
#include <filesystem>
#include <string>

#include "simulator/load/database_contents.hpp"

namespace rushproof::simulator {

// Both read only.  Error: permanent "cannot-read".
Result<DatabaseContents> read_sqlite(const std::filesystem::path& file);
Result<DatabaseContents> read_postgres(const std::string& url);

}  // namespace rushproof::simulator
