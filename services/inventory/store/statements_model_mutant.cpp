#include "services/inventory/store/model_parts.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory::mutants {

namespace {

using model::where;
namespace reservation = model::reservation;

Task<Result<Rows>> model_lock_due_by(ModelTransaction& transaction, Row arguments) {
    return model::lock_due(transaction, where(reservation::state, std::string("held")),
                           wall_time(arguments, 1), integer(arguments, 0));
}

Task<Result<Rows>> model_lock_due_any_state(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [](const Row& row) { return text(row, reservation::state) != "expired"; };
    return model::lock_due(transaction, std::move(filter), transaction.now(),
                           integer(arguments, 0));
}

Task<Result<Rows>> model_expire_any_state(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::string& id : std::get<std::vector<std::string>>(arguments[0])) {
        RowFilter filter = where(reservation::id, id);
        std::function<void(Row&)> change = [](Row& row) {
            row[reservation::state] = std::string("expired");
        };
        RP_CO_TRY(const auto rows,
                  co_await transaction.update("reservation", std::move(filter), std::move(change)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

// number, owner, operation, key, fingerprint, result
Task<Result<Rows>> model_find_loose_key(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.columns = {1, 2, 3};
    filter.values = std::move(arguments);
    RP_CO_TRY(const auto keys, co_await transaction.select("idempotency_loose", std::move(filter)));
    if (keys.empty()) { co_return Rows(); }
    co_return co_await model::find_first_made(transaction, keys[0][4], keys[0][5]);
}

Task<Result<Rows>> model_insert_loose_key(ModelTransaction& transaction, Row arguments) {
    Row row = std::move(arguments);
    row.emplace(row.begin());  // numbered by the table
    RP_CO_TRY(const auto rows, co_await transaction.insert("idempotency_loose", std::move(row)));
    co_return model::changed(rows);
}

}  // namespace

void extend(ModelSchema& schema) {
    schema.tables.push_back(
        ModelTable{.name = "idempotency_loose",
                   .columns = {"number", "owner", "operation", "key", "fingerprint", "result"},
                   .identity = true,
                   .indexes = {{1, 2, 3}}});
    schema.statements.push_back({&lock_due_by, &model_lock_due_by});
    schema.statements.push_back({&lock_due_any_state, &model_lock_due_any_state});
    schema.statements.push_back({&expire_any_state, &model_expire_any_state});
    schema.statements.push_back({&find_loose_key, &model_find_loose_key});
    schema.statements.push_back({&insert_loose_key, &model_insert_loose_key});
}

}  // namespace rushproof::inventory::mutants
