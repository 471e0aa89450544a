// Typed ways to call the statements, and to read what they return.
#pragma once
#include <span>
#include <vector>

#include "core/ports/database.hpp"
#include "services/processor/domain/outcome.hpp"

namespace rushproof::processor {

// Everything that these decisions leave behind, in one pipeline.
std::vector<Call> write_calls(std::span<const Decision> decisions);
// How many results a pipeline made by write_calls has inserted.
std::int64_t inserted_in(const std::vector<Rows>& answers, std::span<const Decision> decisions);

Call outcomes_call(std::vector<std::string> ids);

StoredResult result_of(const Row& row);
DeadLetter dead_letter_of(const Row& row);

}  // namespace rushproof::processor
