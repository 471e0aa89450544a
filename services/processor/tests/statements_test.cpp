// Goal: no statement is without its model, and every SQLite text is valid on the migrated schema.
// Method: what core/runtime/tests/statement_checks.hpp asks of every role.
#include <gtest/gtest.h>

#include "core/runtime/tests/statement_checks.hpp"
#include "services/processor/processor.hpp"
#include "services/processor/processor_model.hpp"
#include "services/processor/store/statements.hpp"

namespace rushproof::processor {
namespace {

TEST(Statements, AllHaveAModelAndANameOfTheirOwn) {
    expect_models(model_schema(), statements::all(), "processor");
}

TEST(Statements, TakeTheSameParametersInBothDialects) { expect_same_parameters(statements::all()); }

TEST(Statements, PrepareInSqlite) {
    MemorySqlite database([] { return WallTime(); });
    database.migrate(migrations());
    expect_all_prepare(database, statements::all());
}

TEST(Statements, ModelTablesHaveTheColumnsOfTheSchema) {
    MemorySqlite database([] { return WallTime(); });
    database.migrate(migrations());
    expect_columns(database, model_schema());
}

}  // namespace
}  // namespace rushproof::processor
