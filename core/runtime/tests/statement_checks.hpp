// What holds of every role's statements: a model each, the same parameters in both dialects, and
// SQL that fits the migrated tables.  The last is asked of libsqlite3, which prepares each text.
#pragma once
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/model_transaction.hpp"
#include "core/runtime/tests/memory_sqlite.hpp"

namespace rushproof {

using Statements = std::vector<const Statement*>;

inline std::set<std::string> parameters(std::string_view sql) {
    std::set<std::string> found;
    for (std::size_t i = sql.find('$'); i != std::string_view::npos; i = sql.find('$', i + 1)) {
        std::size_t end = i + 1;
        while (end < sql.size() && sql[end] >= '0' && sql[end] <= '9') { ++end; }
        found.emplace(sql.substr(i, end - i));
    }
    return found;
}

inline void expect_models(const ModelSchema& schema, const Statements& statements,
                          std::string_view role) {
    std::set<const Statement*> modelled;
    for (const StatementModel& model : schema.statements) {
        EXPECT_TRUE(model.function);
        EXPECT_TRUE(modelled.insert(model.statement).second) << model.statement->name;
    }
    std::set<std::string_view> names;
    for (const Statement* statement : statements) {
        EXPECT_TRUE(modelled.contains(statement)) << statement->name;
        EXPECT_TRUE(names.insert(statement->name).second) << statement->name;
        EXPECT_TRUE(statement->name.starts_with(std::string(role) + '.')) << statement->name;
    }
    EXPECT_EQ(modelled.size(), statements.size());
}

inline void expect_same_parameters(const Statements& statements) {
    for (const Statement* statement : statements) {
        if (statement->sqlite.empty()) { continue; }
        EXPECT_EQ(parameters(statement->sql), parameters(statement->sqlite)) << statement->name;
    }
}

inline void expect_prepares(MemorySqlite& database, const std::string& sql) {
    sqlite3_stmt* prepared = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database.connection(), sql.c_str(), -1, &prepared, nullptr),
              SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(database.connection());
    sqlite3_finalize(prepared);
}

inline void expect_all_prepare(MemorySqlite& database, const Statements& statements) {
    for (const Statement* statement : statements) {
        expect_prepares(
            database, std::string(statement->sqlite.empty() ? statement->sql : statement->sqlite));
    }
}

inline void expect_columns(MemorySqlite& database, const ModelSchema& schema) {
    for (const ModelTable& table : schema.tables) {
        std::string columns;
        for (const std::string_view column : table.columns) {
            columns += (columns.empty() ? "" : ", ") + std::string(column);
        }
        expect_prepares(database, "SELECT " + columns + " FROM " + std::string(table.name));
    }
}

}  // namespace rushproof
