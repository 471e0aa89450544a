// Brings the schema of a role up to date.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof {

// Table schema_migration(schema, version, name, applied_at) says what the database has seen.  Any
// number of processes may do this at once: they take turns.  Blocks, so call it before serving.
// Errors: retryable "unavailable"; permanent "schema-newer" when the database has seen a later
// migration than the last one given, else "statement-failed" for the step that failed; the steps
// before it stay applied.
Result<void> migrate_postgres(const std::string& url, std::string_view schema,
                              const std::vector<Migration>& migrations);

// Whether this server's log can tell of events, and to this role.  Blocks.  Errors: retryable
// "unavailable"; permanent "no-log", with the remedy.
Result<void> check_postgres_log(const std::string& url);

}  // namespace rushproof
