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

RowFilter everything() { return {}; }

StatementModel reading(const Statement& statement, RowLock lock, LockWait wait = LockWait::block) {
    return {&statement, [lock, wait](ModelTransaction& tx, Row in) {
                return returning(tx.select_for(lock, "stock", by_key(in), wait));
            }};
}

StatementModel reading_free(const Statement& statement, RowLock lock) {
    return {&statement, [lock](ModelTransaction& tx, Row in) {
                const auto limit = static_cast<std::size_t>(integer(in, 0));
                return returning(
                    tx.select_for(lock, "stock", everything(), LockWait::skip_locked, limit));
            }};
}

StatementModel reading_all(const Statement& statement, RowLock lock) {
    return {&statement, [lock](ModelTransaction& tx, Row) {
                return returning(tx.select_for(lock, "stock", everything()));
            }};
}

Answer one_row(Value value) {
    Rows rows;
    rows.rows.emplace_back();
    rows.rows.back().push_back(std::move(value));
    co_return rows;
}

std::vector<StatementModel> read_models() {
    return {
        {&read_at_least,
         [](ModelTransaction& tx, Row in) {
             return returning(tx.select("stock", at_least(integer(in, 0))));
         }},
        {&total,
         [](ModelTransaction& tx, Row) -> Answer {
             RP_CO_TRY(const std::vector<Row> rows, co_await tx.select("stock", everything()));
             std::int64_t sum = 0;
             for (const Row& row : rows) { sum += integer(row, 1); }
             co_return co_await one_row(sum);
         }},
        {&ledger_of,
         [](ModelTransaction& tx, Row in) {
             RowFilter filter;
             filter.columns.push_back(1);
             filter.values.push_back(in[0]);
             return returning(tx.select("ledger", std::move(filter)));
         }},
        {&next_number, [](ModelTransaction& tx, Row) { return one_row(tx.next_number("ledger")); }},
        reading(share, RowLock::share),
        reading(key_share, RowLock::key_share),
        reading(no_key_update, RowLock::no_key_update),
        reading(share_no_wait, RowLock::share, LockWait::no_wait),
        reading(key_share_no_wait, RowLock::key_share, LockWait::no_wait),
        reading_free(share_free, RowLock::share),
        reading_free(no_key_update_free, RowLock::no_key_update),
        reading_all(lock_all, RowLock::update),
        reading_all(share_all, RowLock::share),
    };
}

StatementModel locking_table(const Statement& statement, TableLock mode,
                             LockWait wait = LockWait::block) {
    return {&statement, [mode, wait](ModelTransaction& tx, Row) -> Answer {
                RP_CO_CHECK(co_await tx.lock_table("stock", mode, wait));
                co_return Rows{};
            }};
}

AdvisoryLock advisory_of(const Row& in, bool shared, bool session) {
    AdvisoryLock lock;
    lock.key = integer(in, 0);
    lock.shared = shared;
    lock.session = session;
    return lock;
}

StatementModel locking(const Statement& statement, bool shared, bool session) {
    return {&statement, [shared, session](ModelTransaction& tx, Row in) -> Answer {
                RP_CO_CHECK(co_await tx.advisory_lock(advisory_of(in, shared, session)));
                co_return Rows{};
            }};
}

StatementModel trying(const Statement& statement, bool session) {
    return {&statement, [session](ModelTransaction& tx, Row in) -> Answer {
                RP_CO_TRY(
                    const bool locked,
                    co_await tx.advisory_lock(advisory_of(in, false, session), LockWait::no_wait));
                co_return co_await one_row(locked ? "t" : "f");
            }};
}

StatementModel unlocking(const Statement& statement, bool shared) {
    return {&statement, [shared](ModelTransaction& tx, Row in) {
                const bool held = tx.advisory_unlock(advisory_of(in, shared, true));
                return one_row(held ? "t" : "f");
            }};
}

StatementModel setting(const Statement& statement, LocalSetting set) {
    return {&statement, [set](ModelTransaction& tx, Row in) {
                tx.set_local(set, std::chrono::milliseconds(integer(in, 0)));
                return one_row(std::int64_t{1});
            }};
}

std::vector<StatementModel> lock_models() {
    return {
        locking_table(table_row_share, TableLock::row_share),
        locking_table(table_row_exclusive, TableLock::row_exclusive),
        locking_table(table_share_update_exclusive, TableLock::share_update_exclusive),
        locking_table(table_share, TableLock::share),
        locking_table(table_share_row_exclusive, TableLock::share_row_exclusive),
        locking_table(table_exclusive, TableLock::exclusive),
        locking_table(table_access_exclusive, TableLock::access_exclusive),
        locking_table(table_exclusive_no_wait, TableLock::exclusive, LockWait::no_wait),
        locking(advisory, false, true),
        locking(advisory_shared, true, true),
        locking(advisory_xact, false, false),
        locking(advisory_xact_shared, true, false),
        trying(try_advisory, true),
        trying(try_advisory_xact, false),
        unlocking(advisory_unlock, false),
        unlocking(advisory_unlock_shared, true),
        setting(lock_timeout, LocalSetting::lock_timeout),
        setting(statement_timeout, LocalSetting::statement_timeout),
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
                                    &move_reservation,
                                    &read_at_least,
                                    &total,
                                    &ledger_of,
                                    &next_number,
                                    &share,
                                    &key_share,
                                    &no_key_update,
                                    &share_no_wait,
                                    &key_share_no_wait,
                                    &share_free,
                                    &no_key_update_free,
                                    &lock_all,
                                    &share_all,
                                    &table_row_share,
                                    &table_row_exclusive,
                                    &table_share_update_exclusive,
                                    &table_share,
                                    &table_share_row_exclusive,
                                    &table_exclusive,
                                    &table_access_exclusive,
                                    &table_exclusive_no_wait,
                                    &advisory,
                                    &advisory_shared,
                                    &advisory_xact,
                                    &advisory_xact_shared,
                                    &try_advisory,
                                    &try_advisory_xact,
                                    &advisory_unlock,
                                    &advisory_unlock_shared,
                                    &lock_timeout,
                                    &statement_timeout};
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
    for (const auto& models : {other_models(), read_models(), lock_models()}) {
        schema.statements.insert(schema.statements.end(), models.begin(), models.end());
    }
    return schema;
}

}  // namespace rushproof::simulator::example
