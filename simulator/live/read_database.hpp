// What a real database holds after the processes have ended.
#pragma once
#include <filesystem>
#include <string>

#include "simulator/load/database_contents.hpp"

namespace rushproof::simulator {

// All read only.  Error: permanent "cannot-read".
Result<DatabaseContents> read_sqlite(const std::filesystem::path& file);
Result<DatabaseContents> read_postgres(const std::string& url);

// What became of messages, likewise.
Result<PipelineContents> count_messages_sqlite(const std::filesystem::path& file);
Result<PipelineContents> count_messages_postgres(const std::string& url);

}  // namespace rushproof::simulator
