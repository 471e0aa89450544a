// Goal: no statement is without its model, and every SQLite text is valid on the migrated schema.
// Method: prepare each text with libsqlite3, compare names and parameters of both dialects.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>
#include <string>

#include "services/inventory/inventory_model.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/tests/memory_sqlite.hpp"

namespace rushproof::inventory {
namespace {

std::set<std::string> parameters(std::string_view sql) {
    std::set<std::string> found;
    for (std::size_t i = sql.find('$'); i != std::string_view::npos; i = sql.find('$', i + 1)) {
        std::size_t end = i + 1;
        while (end < sql.size() && sql[end] >= '0' && sql[end] <= '9') { ++end; }
        found.emplace(sql.substr(i, end - i));
    }
    return found;
}

TEST(Statements, AllHaveAModelAndANameOfTheirOwn) {
    std::set<const Statement*> modelled;
    for (const StatementModel& model : model_schema().statements) {
        EXPECT_TRUE(model.function);
        EXPECT_TRUE(modelled.insert(model.statement).second) << model.statement->name;
    }
    std::set<std::string_view> names;
    for (const Statement* statement : statements::all()) {
        EXPECT_TRUE(modelled.contains(statement)) << statement->name;
        EXPECT_TRUE(names.insert(statement->name).second) << statement->name;
        EXPECT_TRUE(statement->name.starts_with("inventory.")) << statement->name;
    }
    EXPECT_EQ(modelled.size(), statements::all().size());
}

TEST(Statements, TakeTheSameParametersInBothDialects) {
    for (const Statement* statement : statements::all()) {
        if (statement->sqlite.empty()) { continue; }
        EXPECT_EQ(parameters(statement->sql), parameters(statement->sqlite)) << statement->name;
    }
}

TEST(Statements, PrepareInSqlite) {
    MemorySqlite database([] { return WallTime(); });
    for (const Statement* statement : statements::all()) {
        const std::string sql(statement->sqlite.empty() ? statement->sql : statement->sqlite);
        sqlite3_stmt* prepared = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database.connection(), sql.c_str(), -1, &prepared, nullptr),
                  SQLITE_OK)
            << statement->name << ": " << sqlite3_errmsg(database.connection());
        sqlite3_finalize(prepared);
    }
}

TEST(Statements, ModelTablesHaveTheColumnsOfTheSchema) {
    MemorySqlite database([] { return WallTime(); });
    for (const ModelTable& table : model_schema().tables) {
        std::string sql = "SELECT ";
        for (const std::string_view column : table.columns) {
            if (sql.size() > 7) { sql += ", "; }
            sql += column;
        }
        sql += " FROM " + std::string(table.name);
        sqlite3_stmt* prepared = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database.connection(), sql.c_str(), -1, &prepared, nullptr),
                  SQLITE_OK)
            << sql << ": " << sqlite3_errmsg(database.connection());
        sqlite3_finalize(prepared);
    }
}

}  // namespace
}  // namespace rushproof::inventory
