// Statements that several roles share, each over tables of its own.
#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "core/ports/database.hpp"

namespace rushproof {

// What the names of a role's tables begin with: "inventory." in PostgreSQL, where each role has a
// schema; "catalog_" in SQLite and in the simulated database, which have none.
struct RoleTables {
    std::string_view role;
    std::string_view sql;
    std::string_view sqlite;
};

// Makes statements out of texts in which "@" stands for the beginning of a table's name.  What it
// made lives as long as it does.
class StatementMaker {
public:
    explicit StatementMaker(RoleTables tables) : tables_(tables) {}

    // `name` without the role; empty `sqlite` means that `sql` serves both.
    Statement make(std::string_view name, std::string_view sql, std::string_view sqlite);
    // In SQLite and in the simulated database.
    std::string_view table(std::string_view name);

private:
    std::string_view keep(std::string_view text, std::string_view beginning);

    RoleTables tables_;
    std::deque<std::string> texts_;
};

}  // namespace rushproof
