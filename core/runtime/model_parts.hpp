// Idioms of statement models; linked only into the simulator and tests.
#pragma once
#include <initializer_list>
#include <string>
#include <vector>

#include "core/ports/model_transaction.hpp"

namespace rushproof::model {

RowFilter where(std::size_t column, Value value);
// The given columns of a row, in the given order.
Row pick(const Row& row, std::initializer_list<std::size_t> columns);
// Array arguments.
const std::vector<std::string>& texts(const Row& arguments, std::size_t index);
const std::vector<std::int64_t>& numbers(const Row& arguments, std::size_t index);
// What UPDATE, INSERT and DELETE without RETURNING give.
Rows changed(const std::vector<Row>& rows);

}  // namespace rushproof::model
