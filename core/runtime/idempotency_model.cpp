#include "core/runtime/idempotency_model.hpp"

#include <string_view>
#include <utility>

#include "core/runtime/model_parts.hpp"

namespace rushproof {

namespace {

using model::changed;
using model::pick;

enum : std::size_t { owner, operation, key, fingerprint, result_of_key, created_at };

Task<Result<Rows>> claim_key(std::string_view table, ModelTransaction& transaction, Row arguments) {
    Row row = std::move(arguments);
    row.emplace_back(transaction.now());
    RP_CO_TRY(const auto rows, co_await transaction.insert(table, std::move(row), true));
    co_return changed(rows);
}

Task<Result<Rows>> find_result(std::string_view table, ModelTransaction& transaction,
                               Row arguments) {
    RowFilter filter;
    filter.columns = {owner, operation, key};
    filter.values = std::move(arguments);
    RP_CO_TRY(const auto keys, co_await transaction.select(table, std::move(filter)));
    Rows result;
    for (const Row& row : keys) { result.rows.push_back(pick(row, {fingerprint, result_of_key})); }
    co_return result;
}

Task<Result<Rows>> forget_keys(std::string_view table, ModelTransaction& transaction,
                               Row arguments) {
    const WallTime oldest = transaction.now() - std::chrono::microseconds(integer(arguments, 0));
    RowFilter filter;
    filter.where = [oldest](const Row& row) { return wall_time(row, created_at) < oldest; };
    RP_CO_TRY(const auto rows, co_await transaction.remove(table, std::move(filter)));
    co_return changed(rows);
}

using Function = Task<Result<Rows>> (*)(std::string_view, ModelTransaction&, Row);

}  // namespace

void add_idempotency_model(ModelSchema& schema, const IdempotencySql& sql) {
    schema.tables.push_back(
        ModelTable{.name = sql.keys,
                   .columns = {"owner", "operation", "key", "fingerprint", "result", "created_at"},
                   .key_columns = 3,
                   .indexes = {}});
    const std::pair<const Statement*, Function> models[] = {
        {&sql.claim_key, &claim_key},
        {&sql.find_result, &find_result},
        {&sql.forget_keys, &forget_keys},
    };
    for (const auto& [statement, function] : models) {
        schema.statements.push_back(
            {statement, [table = sql.keys, function](ModelTransaction& transaction, Row arguments) {
                 return function(table, transaction, std::move(arguments));
             }});
    }
}

}  // namespace rushproof
