// What the words of a step mean, for every engine.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/ports/database.hpp"

namespace rushproof::conformance {

struct Begin {
    Isolation isolation = Isolation::read_committed;
    Access access = Access::read_write;
};

// Empty when `command` is not a begin.
std::optional<Begin> begin_of(const std::vector<std::string>& command);
// The statement of that name with its arguments; digits are numbers.
Call call_of(const std::vector<std::string>& command);
// "A 9, B 10", or none.
std::string to_text(const std::vector<Row>& rows);

}  // namespace rushproof::conformance
