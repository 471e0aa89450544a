// Brings the schema of a role up to date.
#pragma once
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"
#include "core/real/sqlite/connection.hpp"

namespace rushproof::sqlite {

// Table schema_migration(schema, version, name, applied_at) says what the file has seen.
// See SqliteDatabase::apply for the errors.
Result<void> migrate(Connection& connection, std::string_view schema,
                     const std::vector<Migration>& migrations);

}  // namespace rushproof::sqlite
