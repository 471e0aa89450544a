// Values as PostgreSQL's text format writes them, and arrays of arguments as its binary one does,
// which it need not parse.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/database.hpp"

struct pg_result;

namespace rushproof::postgres {

// The parameters of one call, as libpq takes them; valid until the next fill().  The server infers
// each parameter's type from the statement, and reads the text as that; an array must be of text or
// of bigint there, as it is here.
class Parameters {
public:
    // Error: permanent "statement-failed" for what PostgreSQL cannot hold: a text with a NUL byte,
    // a time before the year 1.
    Result<void> fill(const Row& arguments);
    const char* const* values() const { return pointers_.data(); }
    const int* lengths() const { return lengths_.data(); }
    const int* formats() const { return formats_.data(); }
    int count() const { return static_cast<int>(pointers_.size()); }

private:
    std::string bytes_;
    std::vector<const char*> pointers_;
    std::vector<int> lengths_;
    std::vector<int> formats_;  // 1 is binary
};

// Integers and booleans are integers; timestamps are WallTime; whatever else is no array, no bytea
// and no number is text.  Error: permanent "statement-failed" for numbers with a fraction.
Result<Rows> rows_of(const pg_result* result);

// Of an array's text: {1,2}, {"a b",c}; nothing when it is none, or holds NULL.
std::optional<std::vector<std::string>> read_array(std::string_view text);
// "2026-08-01 12:00:00.00025+00", as the server writes it to a session in UTC.
std::optional<WallTime> read_time(std::string_view text);

}  // namespace rushproof::postgres
