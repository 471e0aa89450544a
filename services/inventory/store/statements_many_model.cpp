#include "services/inventory/store/statements_many_model.hpp"

#include <algorithm>
#include <utility>

#include "services/inventory/store/model_parts.hpp"
#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory::model {

namespace {

namespace many = statements::many;

std::vector<std::string> sorted(std::vector<std::string> values) {
    std::sort(values.begin(), values.end());
    return values;
}

Task<Result<Rows>> lock_stock(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::string& sku : sorted(texts(arguments, 0))) {
        RowFilter filter = where(stock::sku, sku);
        RP_CO_TRY(auto rows, co_await transaction.select_for_update("stock", std::move(filter)));
        std::move(rows.begin(), rows.end(), std::back_inserter(result.rows));
    }
    co_return result;
}

Task<Result<Rows>> change_held(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        RowFilter filter = where(stock::sku, texts(arguments, 0)[i]);
        std::function<void(Row&)> change = [by = numbers(arguments, 1)[i]](Row& row) {
            row[stock::held] = integer(row, stock::held) + by;
            row[stock::version] = integer(row, stock::version) + 1;
        };
        RP_CO_TRY(const auto rows,
                  co_await transaction.update("stock", std::move(filter), std::move(change)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

// One SKU after the other: more than `limit` may get locked, which another sweep skips.
Task<Result<Rows>> lock_due_of_skus(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::string& sku : sorted(texts(arguments, 0))) {
        RowFilter filter;
        filter.columns = {reservation::sku, reservation::state};
        filter.values.emplace_back(sku);
        filter.values.emplace_back(std::string("held"));
        filter.where = [](const Row& row) { return integer(row, reservation::lines) == 1; };
        RP_CO_TRY(Rows due, co_await lock_due(transaction, std::move(filter), transaction.now(),
                                              integer(arguments, 1)));
        std::move(due.rows.begin(), due.rows.end(), std::back_inserter(result.rows));
    }
    std::sort(result.rows.begin(), result.rows.end());
    const auto limit = static_cast<std::size_t>(integer(arguments, 1));
    if (result.rows.size() > limit) { result.rows.resize(limit); }
    co_return result;
}

Task<Result<Rows>> expire_reservation(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::string& id : sorted(texts(arguments, 0))) {
        RowFilter filter = where(reservation::id, id);
        filter.where = [](const Row& row) { return text(row, reservation::state) == "held"; };
        std::function<void(Row&)> change = [](Row& row) {
            row[reservation::state] = std::string("expired");
        };
        RP_CO_TRY(const auto rows,
                  co_await transaction.update("reservation", std::move(filter), std::move(change)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> insert_reservation(ModelTransaction& transaction, Row arguments) {
    const WallTime expires_at =
        transaction.now() + std::chrono::microseconds(integer(arguments, 6));
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row row;
        row.emplace_back(texts(arguments, 0)[i]);
        row.emplace_back(texts(arguments, 1)[i]);
        row.emplace_back(numbers(arguments, 2)[i]);
        row.emplace_back(texts(arguments, 3)[i]);
        row.emplace_back(texts(arguments, 4)[i]);
        row.emplace_back(std::string("held"));
        row.emplace_back(expires_at);
        row.emplace_back(transaction.now());
        row.emplace_back(numbers(arguments, 5)[i]);
        RP_CO_CHECK(co_await transaction.insert("reservation", std::move(row)));
        result.rows.push_back(Row{expires_at});
        ++result.affected;
    }
    co_return result;
}

Task<Result<Rows>> find_keys(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        RowFilter filter;
        filter.columns = {idempotency::owner, idempotency::operation, idempotency::key};
        filter.values.emplace_back(texts(arguments, 0)[i]);
        filter.values.push_back(arguments[1]);
        filter.values.emplace_back(texts(arguments, 2)[i]);
        RP_CO_TRY(const auto keys, co_await transaction.select("idempotency", std::move(filter)));
        if (keys.empty()) { continue; }
        RP_CO_TRY(Rows found,
                  co_await find_first_made(transaction, keys[0][idempotency::fingerprint],
                                           keys[0][idempotency::result]));
        std::move(found.rows.begin(), found.rows.end(), std::back_inserter(result.rows));
    }
    // By id and SKU.
    std::sort(result.rows.begin(), result.rows.end(), [](const Row& a, const Row& b) {
        return std::tie(a[1], a[2]) < std::tie(b[1], b[2]);
    });
    co_return result;
}

Task<Result<Rows>> claim_keys(ModelTransaction& transaction, Row arguments) {
    std::vector<Row> claims;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row& row = claims.emplace_back();
        row.emplace_back(texts(arguments, 0)[i]);
        row.push_back(arguments[1]);
        row.emplace_back(texts(arguments, 2)[i]);
        row.emplace_back(texts(arguments, 3)[i]);
        row.emplace_back(texts(arguments, 4)[i]);
        row.emplace_back(transaction.now());
    }
    std::sort(claims.begin(), claims.end());
    Rows result;
    for (Row& row : claims) {
        RP_CO_CHECK(co_await transaction.insert("idempotency", std::move(row)));
        ++result.affected;
    }
    co_return result;
}

Task<Result<Rows>> append_ledger(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row row(1);  // numbered by the table
        row.emplace_back(texts(arguments, 0)[i]);
        row.emplace_back(texts(arguments, 1)[i]);
        row.emplace_back(texts(arguments, 2)[i]);
        row.emplace_back(texts(arguments, 3)[i]);
        row.emplace_back(numbers(arguments, 4)[i]);
        row.emplace_back(transaction.now());
        RP_CO_CHECK(co_await transaction.insert("ledger", std::move(row)));
        ++result.affected;
    }
    co_return result;
}

}  // namespace

void add_many(ModelSchema& schema) {
    schema.statements.push_back({&many::lock_stock, &lock_stock});
    schema.statements.push_back({&many::change_held, &change_held});
    schema.statements.push_back({&many::lock_due, &lock_due_of_skus});
    schema.statements.push_back({&many::expire_reservation, &expire_reservation});
    schema.statements.push_back({&many::insert_reservation, &insert_reservation});
    schema.statements.push_back({&many::find_keys, &find_keys});
    schema.statements.push_back({&many::claim_keys, &claim_keys});
    schema.statements.push_back({&many::append_ledger, &append_ledger});
}

}  // namespace rushproof::inventory::model
