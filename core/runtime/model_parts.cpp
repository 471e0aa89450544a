#include "core/runtime/model_parts.hpp"

#include <utility>

namespace rushproof::model {

RowFilter where(std::size_t column, Value value) {
    RowFilter filter;
    filter.columns = {column};
    filter.values.push_back(std::move(value));
    return filter;
}

Row pick(const Row& row, std::initializer_list<std::size_t> columns) {
    Row result;
    result.reserve(columns.size());
    for (const std::size_t column : columns) { result.push_back(row[column]); }
    return result;
}

const std::vector<std::string>& texts(const Row& arguments, std::size_t index) {
    return std::get<std::vector<std::string>>(arguments[index]);
}

const std::vector<std::int64_t>& numbers(const Row& arguments, std::size_t index) {
    return std::get<std::vector<std::int64_t>>(arguments[index]);
}

Rows changed(const std::vector<Row>& rows) {
    return Rows{{}, static_cast<std::int64_t>(rows.size())};
}

}  // namespace rushproof::model
