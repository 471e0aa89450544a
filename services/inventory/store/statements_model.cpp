// What each statement means to the simulated database: the same rows, locks and waits as its SQL
// in READ COMMITTED, in the same order.
#include <algorithm>
#include <tuple>
#include <utility>

#include "core/runtime/idempotency_model.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/inventory_model.hpp"
#include "services/inventory/store/model_parts.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_many_model.hpp"
#include "services/inventory/store/statements_mutant.hpp"
#include "services/inventory/store/statements_outbox_model.hpp"

namespace rushproof::inventory {

namespace {

using model::changed;
using model::pick;
using model::where;
namespace idempotency = model::idempotency;
namespace ledger = model::ledger;
namespace reservation = model::reservation;
namespace stock = model::stock;

void add(Row& row, std::size_t column, std::int64_t change) {
    row[column] = integer(row, column) + change;
}

// --- stock ---

Rows stock_rows(const std::vector<Row>& rows) {
    Rows result;
    for (const Row& row : rows) {
        result.rows.push_back(
            pick(row, {stock::on_hand, stock::held, stock::sold, stock::version}));
    }
    return result;
}

Task<Result<Rows>> read_stock(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(stock::sku, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("stock", std::move(filter)));
    co_return stock_rows(rows);
}

Task<Result<Rows>> lock_stock(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(stock::sku, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select_for_update("stock", std::move(filter)));
    co_return stock_rows(rows);
}

Task<Result<Rows>> create_stock(ModelTransaction& transaction, Row arguments) {
    Row row = std::move(arguments);
    row.resize(stock::version + 1, std::int64_t{0});
    RP_CO_TRY(const auto rows, co_await transaction.insert("stock", std::move(row), true));
    co_return changed(rows);
}

// UPDATE stock SET ..., version = version + 1 WHERE ...
Task<Result<Rows>> update_stock(ModelTransaction& transaction, RowFilter filter,
                                std::function<void(Row&)> change) {
    std::function<void(Row&)> change_and_count = [change = std::move(change)](Row& row) {
        change(row);
        add(row, stock::version, 1);
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("stock", std::move(filter), std::move(change_and_count)));
    co_return changed(rows);
}

Task<Result<Rows>> take_stock(ModelTransaction& transaction, Row arguments) {
    const std::int64_t units = integer(arguments, 1);
    RowFilter filter = where(stock::sku, arguments[0]);
    filter.where = [units](const Row& row) {
        return integer(row, stock::on_hand) - integer(row, stock::held) >= units;
    };
    std::function<void(Row&)> change = [units](Row& row) {
        add(row, stock::held, units);
        add(row, stock::version, 1);
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("stock", std::move(filter), std::move(change)));
    Rows result = stock_rows(rows);
    result.affected = static_cast<std::int64_t>(rows.size());
    co_return result;
}

Task<Result<Rows>> change_held(ModelTransaction& transaction, Row arguments) {
    const std::int64_t change = integer(arguments, 1);
    return update_stock(transaction, where(stock::sku, arguments[0]),
                        [change](Row& row) { add(row, stock::held, change); });
}

Task<Result<Rows>> change_held_at(ModelTransaction& transaction, Row arguments) {
    const std::int64_t change = integer(arguments, 1);
    const std::int64_t expected = integer(arguments, 2);
    RowFilter filter = where(stock::sku, arguments[0]);
    filter.where = [expected](const Row& row) { return integer(row, stock::version) == expected; };
    return update_stock(transaction, std::move(filter),
                        [change](Row& row) { add(row, stock::held, change); });
}

Task<Result<Rows>> write_held(ModelTransaction& transaction, Row arguments) {
    const std::int64_t units = integer(arguments, 1);
    return update_stock(transaction, where(stock::sku, arguments[0]),
                        [units](Row& row) { row[stock::held] = units; });
}

Task<Result<Rows>> sell_stock(ModelTransaction& transaction, Row arguments) {
    const std::int64_t units = integer(arguments, 1);
    return update_stock(transaction, where(stock::sku, arguments[0]), [units](Row& row) {
        add(row, stock::on_hand, -units);
        add(row, stock::held, -units);
        add(row, stock::sold, units);
    });
}

Task<Result<Rows>> set_on_hand(ModelTransaction& transaction, Row arguments) {
    const std::int64_t units = integer(arguments, 1);
    return update_stock(transaction, where(stock::sku, arguments[0]),
                        [units](Row& row) { row[stock::on_hand] = units; });
}

// --- locks ---

Rows one_row() {
    Rows result;
    result.rows.push_back(Row{std::int64_t{1}});
    return result;
}

Task<Result<Rows>> lock_key(ModelTransaction& transaction, Row arguments) {
    AdvisoryLock lock;
    lock.key = integer(arguments, 0);
    RP_CO_CHECK(co_await transaction.advisory_lock(lock));
    co_return one_row();
}

Task<Result<Rows>> lock_table(ModelTransaction& transaction, Row) {
    RP_CO_CHECK(co_await transaction.lock_table("stock", TableLock::exclusive));
    co_return Rows();
}

Task<Result<Rows>> limit_lock_wait(ModelTransaction& transaction, Row arguments) {
    const std::chrono::milliseconds longest(integer(arguments, 0));
    transaction.set_local(LocalSetting::lock_timeout, longest);
    co_return one_row();
}

// --- reservation ---

// id, sku, quantity, owner, key, state, expires_at and the given time until then.
Row as_returned(const Row& row, std::int64_t left) {
    Row result = row;
    result.resize(reservation::lines);
    result[reservation::created_at] = left;
    return result;
}

Rows with_time_left(const std::vector<Row>& rows, const ModelTransaction& transaction) {
    Rows result;
    for (const Row& row : rows) {
        const auto left = wall_time(row, reservation::expires_at) - transaction.now();
        result.rows.push_back(as_returned(row, left.count()));
    }
    return result;
}

Task<Result<Rows>> find_reservation(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(reservation::id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("reservation", std::move(filter)));
    co_return with_time_left(rows, transaction);
}

Task<Result<Rows>> lock_reservation(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(reservation::id, arguments[0]);
    RP_CO_TRY(const auto rows,
              co_await transaction.select_for_update("reservation", std::move(filter)));
    co_return with_time_left(rows, transaction);
}

// UPDATE reservation SET state = <end> WHERE id = $1 AND state = 'held' AND <condition>
// RETURNING ...
Task<Result<Rows>> end_reservation(ModelTransaction& transaction, Value id, State end,
                                   std::function<bool(const Row&)> condition) {
    RowFilter filter = where(reservation::id, std::move(id));
    filter.where = [condition = std::move(condition)](const Row& row) {
        return text(row, reservation::state) == "held" && condition(row);
    };
    std::function<void(Row&)> change = [end](Row& row) {
        row[reservation::state] = std::string(to_string(end));
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("reservation", std::move(filter), std::move(change)));
    Rows result = changed(rows);
    for (const Row& row : rows) { result.rows.push_back(as_returned(row, 0)); }
    co_return result;
}

Task<Result<Rows>> confirm_reservation(ModelTransaction& transaction, Row arguments) {
    const WallTime now = transaction.now();
    return end_reservation(transaction, arguments[0], State::confirmed,
                           [now, owner = text(arguments, 1)](const Row& row) {
                               return text(row, reservation::owner) == owner &&
                                      wall_time(row, reservation::expires_at) > now;
                           });
}

Task<Result<Rows>> release_reservation(ModelTransaction& transaction, Row arguments) {
    return end_reservation(transaction, arguments[0], State::released,
                           [owner = text(arguments, 1)](const Row& row) {
                               return text(row, reservation::owner) == owner;
                           });
}

Task<Result<Rows>> extend_reservation(ModelTransaction& transaction, Row arguments) {
    const WallTime now = transaction.now();
    RowFilter filter = where(reservation::id, arguments[0]);
    filter.where = [now, owner = text(arguments, 1)](const Row& row) {
        return text(row, reservation::owner) == owner && text(row, reservation::state) == "held" &&
               wall_time(row, reservation::expires_at) > now;
    };
    const WallTime wanted = now + std::chrono::microseconds(integer(arguments, 2));
    const std::chrono::microseconds longest(integer(arguments, 3));
    std::function<void(Row&)> change = [wanted, longest](Row& row) {
        const WallTime last = wall_time(row, reservation::created_at) + longest;
        row[reservation::expires_at] =
            std::max(wall_time(row, reservation::expires_at), std::min(wanted, last));
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("reservation", std::move(filter), std::move(change)));
    Rows result = changed(rows);
    for (const Row& row : rows) {
        const auto left = wall_time(row, reservation::expires_at) - now;
        result.rows.push_back(as_returned(row, left.count()));
    }
    co_return result;
}

Task<Result<Rows>> list_reservations(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) {
        const std::string& sku = text(arguments, 1);
        const std::string& state = text(arguments, 2);
        return row[reservation::owner] == arguments[0] &&
               (sku.empty() || text(row, reservation::sku) == sku) &&
               (state.empty() || text(row, reservation::state) == state) &&
               std::tie(row[reservation::id], row[reservation::sku]) >
                   std::tie(arguments[3], arguments[4]);
    };
    RP_CO_TRY(const auto rows, co_await transaction.select("reservation", std::move(filter)));
    const auto limit = static_cast<std::size_t>(integer(arguments, 5));
    Rows page;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        const auto left = wall_time(rows[i], reservation::expires_at) - transaction.now();
        page.rows.push_back(as_returned(rows[i], left.count()));
    }
    co_return page;
}

Task<Result<Rows>> list_stock(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) { return row[stock::sku] > arguments[0]; };
    RP_CO_TRY(const auto rows, co_await transaction.select("stock", std::move(filter)));
    const auto limit = static_cast<std::size_t>(integer(arguments, 1));
    Rows page;
    page.rows.assign(rows.begin(),
                     rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), limit)));
    co_return page;
}

Task<Result<Rows>> lock_due(ModelTransaction& transaction, Row arguments) {
    return model::lock_due(transaction, where(reservation::state, std::string("held")),
                           transaction.now(), integer(arguments, 0));
}

// --- idempotency ---

Task<Result<Rows>> find_key(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.columns = {idempotency::owner, idempotency::operation, idempotency::key};
    filter.values = std::move(arguments);
    RP_CO_TRY(const auto keys, co_await transaction.select("idempotency", std::move(filter)));
    if (keys.empty()) { co_return Rows(); }
    co_return co_await model::find_first_made(transaction, keys[0][idempotency::fingerprint],
                                              keys[0][idempotency::result]);
}

// --- ledger ---

Task<Result<Rows>> read_ledger(ModelTransaction& transaction, Row arguments) {
    const std::int64_t after = integer(arguments, 1);
    const auto limit = static_cast<std::size_t>(integer(arguments, 2));
    RowFilter filter = where(ledger::sku, arguments[0]);
    filter.where = [after](const Row& row) { return integer(row, ledger::number) > after; };
    RP_CO_TRY(const auto rows, co_await transaction.select("ledger", std::move(filter)));
    Rows page;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        page.rows.push_back(pick(rows[i], {ledger::number, ledger::reservation, ledger::key,
                                           ledger::kind, ledger::quantity, ledger::at}));
    }
    co_return page;
}

Task<Result<Rows>> ping(ModelTransaction&, Row) { co_return one_row(); }

std::vector<ModelTable> tables() {
    return {
        ModelTable{.name = "stock",
                   .columns = {"sku", "on_hand", "held", "sold", "version"},
                   .indexes = {}},
        ModelTable{.name = "reservation",
                   .columns = {"id", "sku", "quantity", "owner", "key", "state", "expires_at",
                               "created_at", "lines"},
                   .key_columns = 2,
                   .indexes = {{reservation::id},
                               {reservation::state},
                               {reservation::sku, reservation::state}}},
        ModelTable{.name = "ledger",
                   .columns = {"number", "sku", "reservation", "key", "kind", "quantity", "at"},
                   .identity = true,
                   .indexes = {{ledger::sku}}},
    };
}

std::vector<StatementModel> models() {
    return {
        {&statements::read_stock, &read_stock},
        {&statements::lock_stock, &lock_stock},
        {&statements::create_stock, &create_stock},
        {&statements::take_stock, &take_stock},
        {&statements::change_held, &change_held},
        {&statements::change_held_at, &change_held_at},
        {&statements::write_held, &write_held},
        {&statements::sell_stock, &sell_stock},
        {&statements::set_on_hand, &set_on_hand},
        {&statements::lock_key, &lock_key},
        {&statements::lock_table, &lock_table},
        {&statements::limit_lock_wait, &limit_lock_wait},
        {&statements::find_reservation, &find_reservation},
        {&statements::lock_reservation, &lock_reservation},
        {&statements::confirm_reservation, &confirm_reservation},
        {&statements::release_reservation, &release_reservation},
        {&statements::extend_reservation, &extend_reservation},
        {&statements::list_reservations, &list_reservations},
        {&statements::list_stock, &list_stock},
        {&statements::lock_due, &lock_due},
        {&statements::find_key, &find_key},
        {&statements::read_ledger, &read_ledger},
        {&statements::ping, &ping},
    };
}

}  // namespace

ModelSchema model_schema() {
    ModelSchema schema{tables(), models()};
    add_idempotency_model(schema, statements::keys());
    model::add_many(schema);
    model::add_outbox(schema);
    if constexpr (mutants_compiled) { mutants::extend(schema); }
    return schema;
}

}  // namespace rushproof::inventory
