#include "simulator/models/database/tests/example.hpp"

#include <array>
#include <utility>

namespace rushproof::simulator::example {

namespace {

using Answer = Task<Result<Rows>>;

// The answer of a statement that returns the rows it touched.
Answer returning(Task<Result<std::vector<Row>>> operation) {
    RP_CO_TRY(std::vector<Row> rows, co_await std::move(operation));
    Rows result;
    result.affected = static_cast<std::int64_t>(rows.size());
    result.rows = std::move(rows);
    co_return result;
}

RowFilter by_key(const Row& arguments, std::size_t columns = 1) {
    RowFilter filter;
    for (std::size_t i = 0; i < columns; ++i) {
        filter.columns.push_back(i);
        filter.values.push_back(arguments[i]);
    }
    return filter;
}

RowFilter at_least(std::int64_t available) {
    RowFilter filter;
    filter.where = [available](const Row& row) { return integer(row, 1) >= available; };
    return filter;
}

std::function<void(Row&)> add(std::int64_t change) {
    return [change](Row& row) { row[1] = integer(row, 1) + change; };
}

std::vector<StatementModel> stock_models() {
    return {
        {&read,
         [](ModelTransaction& tx, Row in) { return returning(tx.select("stock", by_key(in))); }},
        {&read_all, [](ModelTransaction& tx, Row) { return returning(tx.select("stock", {})); }},
        {&lock, [](ModelTransaction& tx,
                   Row in) { return returning(tx.select_for_update("stock", by_key(in))); }},
        {&lock_no_wait,
         [](ModelTransaction& tx, Row in) {
             return returning(tx.select_for_update("stock", by_key(in), LockWait::no_wait));
         }},
        {&lock_at_least,
         [](ModelTransaction& tx, Row in) {
             return returning(tx.select_for_update("stock", at_least(integer(in, 0))));
         }},
        {&lock_first_at_least,
         [](ModelTransaction& tx, Row in) {
             return returning(
                 tx.select_for_update("stock", at_least(integer(in, 0)), LockWait::block, 1));
         }},
        {&lock_free,
         [](ModelTransaction& tx, Row in) {
             const auto limit = static_cast<std::size_t>(integer(in, 0));
             return returning(tx.select_for_update("stock", {}, LockWait::skip_locked, limit));
         }},
        {&set,
         [](ModelTransaction& tx, Row in) {
             const std::int64_t available = integer(in, 1);
             return returning(
                 tx.update("stock", by_key(in), [available](Row& row) { row[1] = available; }));
         }},
        {&take,
         [](ModelTransaction& tx, Row in) {
             RowFilter filter = by_key(in);
             filter.where = at_least(integer(in, 1)).where;
             return returning(tx.update("stock", std::move(filter), add(-integer(in, 1))));
         }},
        {&add_all, [](ModelTransaction& tx,
                      Row in) { return returning(tx.update("stock", {}, add(integer(in, 0)))); }},
        {&take_and_look,
         [](ModelTransaction& tx, Row in) -> Answer {
             RP_CO_CHECK(co_await tx.update("stock", by_key(in), add(-integer(in, 1))));
             co_return co_await returning(tx.select("stock", by_key(in)));
         }},
        {&put,
         [](ModelTransaction& tx, Row in) { return returning(tx.insert("stock", std::move(in))); }},
        {&put_or_nothing,
         [](ModelTransaction& tx, Row in) {
             return returning(tx.insert("stock", std::move(in), true));
         }},
        {&remove,
         [](ModelTransaction& tx, Row in) { return returning(tx.remove("stock", by_key(in))); }},
    };
}

std::vector<StatementModel> other_models() {
    return {
        {&append,
         [](ModelTransaction& tx, Row in) {
             Row row;
             row.emplace_back();
             row.push_back(in[0]);
             row.push_back(in[1]);
             return returning(tx.insert("ledger", std::move(row)));
         }},
        {&read_ledger,
         [](ModelTransaction& tx, Row) { return returning(tx.select("ledger", {})); }},
        {&reserve, [](ModelTransaction& tx,
                      Row in) { return returning(tx.insert("reservation", std::move(in))); }},
        {&reservations_of,
         [](ModelTransaction& tx, Row in) {
             RowFilter filter;
             filter.columns.push_back(2);
             filter.values.push_back(in[0]);
             return returning(tx.select("reservation", std::move(filter)));
         }},
        {&move_reservation,
         [](ModelTransaction& tx, Row in) {
             return returning(tx.update("reservation", by_key(in, 2),
                                        [sku = in[2]](Row& row) { row[2] = sku; }));
         }},
    };
}

}  // namespace

std::span<const Statement* const> statements() {
    static constexpr std::array all{&read,
                                    &read_all,
                                    &lock,
                                    &lock_no_wait,
                                    &lock_at_least,
                                    &lock_first_at_least,
                                    &lock_free,
                                    &set,
                                    &take,
                                    &add_all,
                                    &take_and_look,
                                    &put,
                                    &put_or_nothing,
                                    &remove,
                                    &append,
                                    &read_ledger,
                                    &reserve,
                                    &reservations_of,
                                    &move_reservation};
    return all;
}

ModelSchema model_schema() {
    ModelSchema schema;
    schema.tables = {
        {"stock", {"sku", "available"}, 1, false, {}},
        {"ledger", {"number", "sku", "change"}, 1, true, {}},
        {"reservation", {"owner", "id", "sku", "quantity"}, 2, false, {{2}}},
    };
    schema.statements = stock_models();
    for (StatementModel& model : other_models()) { schema.statements.push_back(std::move(model)); }
    return schema;
}

}  // namespace rushproof::simulator::example
