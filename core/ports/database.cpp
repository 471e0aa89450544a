#include "core/ports/database.hpp"

#include "core/base/assert.hpp"

namespace rushproof {

Task<Result<std::shared_ptr<InsertLog>>> Database::open_log(Context, std::string) {
    co_return failure(ErrorKind::permanent, "no-log",
                      "this database has no log that can be read: use polling");
}

namespace {

template <class T>
const T& column_as(const Row& row, std::size_t column) {
    RP_ASSERT(column < row.size());
    const T* value = std::get_if<T>(&row[column]);
    RP_ASSERT(value != nullptr);
    return *value;
}

}  // namespace

std::int64_t integer(const Row& row, std::size_t column) {
    return column_as<std::int64_t>(row, column);
}
const std::string& text(const Row& row, std::size_t column) {
    return column_as<std::string>(row, column);
}
WallTime wall_time(const Row& row, std::size_t column) { return column_as<WallTime>(row, column); }

}  // namespace rushproof
