// Statements and a table that only mutants need; defined in builds with mutants only.
//
// In them a message's effect is not its row in result, but a row in a table beside it, where it may
// be twice; result is only the record by which a repeat is known.
#pragma once
#include <span>
#include <vector>

#include "core/ports/database.hpp"
#include "core/ports/model_transaction.hpp"
#include "services/processor/domain/outcome.hpp"
#include "services/processor/mutant.hpp"

namespace rushproof::processor::mutants {

extern const Statement remove_records;  // $1 ids, $2 age in us: of those that are older
extern const Statement copy_effects;    // $1 ids: of records whose number has no effect yet
extern const Statement list_effects;    // as list_results

// What stands before and behind the writing of results, in their transaction.
std::vector<Call> calls_before(Mutant mutant, std::span<const Decision> decisions);
std::vector<Call> calls_behind(Mutant mutant, std::span<const Decision> decisions);

const std::vector<const Statement*>& statements();
extern const Migration create_tables;

// Adds the models of the above.
void extend(ModelSchema& schema);

}  // namespace rushproof::processor::mutants
