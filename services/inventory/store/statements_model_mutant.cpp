#include <algorithm>
#include <iterator>

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

Task<Result<Rows>> model_sum_held(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.columns = {reservation::sku, reservation::state};
    filter.values.push_back(arguments[0]);
    filter.values.emplace_back(std::string("held"));
    RP_CO_TRY(const auto rows, co_await transaction.select("reservation", std::move(filter)));
    std::int64_t sum = 0;
    for (const Row& row : rows) { sum += integer(row, reservation::quantity); }
    Rows result;
    result.rows.push_back(Row{sum});
    co_return result;
}

// outbox: number, id, lane, aggregate, kind, body, created_at; feed: the sixth is last
Task<Result<Rows>> model_read_new_events(ModelTransaction& transaction, Row arguments) {
    RowFilter every_sku;
    RP_CO_TRY(const auto known, co_await transaction.select("feed", std::move(every_sku)));
    std::int64_t last = 0;
    for (const Row& row : known) { last = std::max(last, integer(row, 5)); }
    RowFilter later;
    later.where = [last](const Row& row) { return integer(row, 0) > last; };
    RP_CO_TRY(const auto rows, co_await transaction.select("outbox", std::move(later)));
    Rows result;
    for (const Row& row : rows) {
        if (std::ssize(result.rows) == integer(arguments, 0)) { break; }
        result.rows.push_back(model::pick(row, {0, 1, 3, 4, 5}));
        result.rows.back().emplace_back(std::int64_t{0});
    }
    co_return result;
}

Task<Result<Rows>> model_read_due(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(reservation::state, std::string("held"));
    filter.where = [now = transaction.now()](const Row& row) {
        return wall_time(row, reservation::expires_at) <= now;
    };
    RP_CO_TRY(const auto rows, co_await transaction.select("reservation", std::move(filter)));
    Rows result;
    for (const Row& row : rows) {
        if (std::ssize(result.rows) == integer(arguments, 0)) { break; }
        result.rows.push_back(
            model::pick(row, {reservation::id, reservation::sku, reservation::quantity,
                              reservation::key, reservation::lines}));
    }
    co_return result;
}

}  // namespace

void extend(ModelSchema& schema) {
    schema.tables.push_back(
        ModelTable{.name = "idempotency_loose",
                   .columns = {"number", "owner", "operation", "key", "fingerprint", "result"},
                   .identity = true,
                   .indexes = {{1, 2, 3}}});
    schema.statements.push_back({&sum_held, &model_sum_held});
    schema.statements.push_back({&read_new_events, &model_read_new_events});
    schema.statements.push_back({&read_due, &model_read_due});
    schema.statements.push_back({&lock_due_by, &model_lock_due_by});
    schema.statements.push_back({&lock_due_any_state, &model_lock_due_any_state});
    schema.statements.push_back({&expire_any_state, &model_expire_any_state});
    schema.statements.push_back({&find_loose_key, &model_find_loose_key});
    schema.statements.push_back({&insert_loose_key, &model_insert_loose_key});
}

}  // namespace rushproof::inventory::mutants
