// What each statement means to the simulated database: the same rows, locks and waits as its SQL
// in READ COMMITTED, in the same order.
#include <algorithm>
#include <functional>
#include <utility>

#include "core/runtime/idempotency_model.hpp"
#include "core/runtime/model_parts.hpp"
#include "core/runtime/outbox_model.hpp"
#include "services/catalog/catalog_model.hpp"
#include "services/catalog/domain/event.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

namespace {

using model::changed;
using model::pick;
using model::where;

// Column numbers.
namespace product {
enum : std::size_t { sku, id, name, description, category, minor_units, currency, version };
}
namespace deletion {
enum : std::size_t { id, done, at };
}
namespace feed {
enum : std::size_t { product, version, kind, gaps, at };
}

// --- product ---

Rows product_rows(const std::vector<Row>& rows) {
    Rows result;
    for (const Row& row : rows) {
        result.rows.push_back(pick(
            row, {product::id, product::sku, product::name, product::description, product::category,
                  product::minor_units, product::currency, product::version}));
    }
    return result;
}

Task<Result<Rows>> find_product(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(product::id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("catalog_product", std::move(filter)));
    co_return product_rows(rows);
}

Task<Result<Rows>> lock_product(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(product::id, arguments[0]);
    RP_CO_TRY(const auto rows,
              co_await transaction.select_for_update("catalog_product", std::move(filter)));
    co_return product_rows(rows);
}

Task<Result<Rows>> list_products(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    if (!text(arguments, 0).empty()) { filter = where(product::category, arguments[0]); }
    filter.where = [&arguments](const Row& row) { return row[product::id] > arguments[1]; };
    RP_CO_TRY(const auto rows, co_await transaction.select("catalog_product", std::move(filter)));
    Rows page = product_rows(rows);
    std::sort(page.rows.begin(), page.rows.end());  // by id
    const auto limit = static_cast<std::size_t>(integer(arguments, 2));
    page.rows.resize(std::min(page.rows.size(), limit));
    co_return page;
}

Task<Result<Rows>> insert_product(ModelTransaction& transaction, Row arguments) {
    Row row = std::move(arguments);
    std::swap(row[product::sku], row[product::id]);
    RP_CO_TRY(const auto rows, co_await transaction.insert("catalog_product", std::move(row)));
    co_return changed(rows);
}

Task<Result<Rows>> update_product(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(product::id, arguments[0]);
    std::function<void(Row&)> change = [&arguments](Row& row) {
        for (std::size_t i = product::name; i <= product::version; ++i) {
            row[i] = arguments[i - 1];
        }
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("catalog_product", std::move(filter), std::move(change)));
    co_return changed(rows);
}

Task<Result<Rows>> remove_product(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(product::id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.remove("catalog_product", std::move(filter)));
    co_return changed(rows);
}

// --- deletion ---

Task<Result<Rows>> find_deletion(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(deletion::id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("catalog_deletion", std::move(filter)));
    Rows result;
    for (const Row& row : rows) { result.rows.push_back(pick(row, {deletion::done})); }
    co_return result;
}

Task<Result<Rows>> begin_deletion(ModelTransaction& transaction, Row arguments) {
    Row row{arguments[0], std::int64_t{0}, transaction.now()};
    RP_CO_TRY(const auto rows,
              co_await transaction.insert("catalog_deletion", std::move(row), true));
    co_return changed(rows);
}

Task<Result<Rows>> undo_deletion(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(deletion::id, arguments[0]);
    filter.where = [](const Row& row) { return integer(row, deletion::done) == 0; };
    RP_CO_TRY(const auto rows, co_await transaction.remove("catalog_deletion", std::move(filter)));
    co_return changed(rows);
}

Task<Result<Rows>> finish_deletion(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(deletion::id, arguments[0]);
    std::function<void(Row&)> finish = [now = transaction.now()](Row& row) {
        row[deletion::done] = std::int64_t{1};
        row[deletion::at] = now;
    };
    RP_CO_TRY(const auto rows, co_await transaction.update("catalog_deletion", std::move(filter),
                                                           std::move(finish)));
    co_return changed(rows);
}

RowFilter aged(const ModelTransaction& transaction, RowFilter filter, std::size_t column,
               std::int64_t age_us) {
    const WallTime oldest = transaction.now() - std::chrono::microseconds(age_us);
    filter.where = [oldest, column](const Row& row) { return wall_time(row, column) < oldest; };
    return filter;
}

Task<Result<Rows>> list_deletions(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = aged(transaction, where(deletion::done, std::int64_t{0}), deletion::at,
                            integer(arguments, 0));
    RP_CO_TRY(const auto rows, co_await transaction.select("catalog_deletion", std::move(filter)));
    const auto limit = static_cast<std::size_t>(integer(arguments, 1));
    Rows page;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        page.rows.push_back(pick(rows[i], {deletion::id}));
    }
    co_return page;
}

Task<Result<Rows>> forget_deletions(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = aged(transaction, where(deletion::done, std::int64_t{1}), deletion::at,
                            integer(arguments, 0));
    RP_CO_TRY(const auto rows, co_await transaction.remove("catalog_deletion", std::move(filter)));
    co_return changed(rows);
}

// --- feed ---

Task<Result<Rows>> open_feed(ModelTransaction& transaction, Row arguments) {
    Row row{arguments[0], std::int64_t{0}, std::string(), std::int64_t{0}, transaction.now()};
    RP_CO_TRY(const auto rows, co_await transaction.insert("catalog_feed", std::move(row), true));
    co_return changed(rows);
}

Task<Result<Rows>> take_event(ModelTransaction& transaction, Row arguments) {
    const std::int64_t version = integer(arguments, 1);
    RowFilter filter = where(feed::product, arguments[0]);
    filter.where = [version](const Row& row) { return integer(row, feed::version) < version; };
    std::function<void(Row&)> change = [&arguments, version, now = transaction.now()](Row& row) {
        const bool next = version == integer(row, feed::version) + 1;
        row[feed::version] = version;
        row[feed::kind] = arguments[2];
        row[feed::gaps] = integer(row, feed::gaps) + (next ? 0 : 1);
        row[feed::at] = now;
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("catalog_feed", std::move(filter), std::move(change)));
    co_return changed(rows);
}

Task<Result<Rows>> read_feed(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(feed::product, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("catalog_feed", std::move(filter)));
    Rows result;
    for (const Row& row : rows) {
        result.rows.push_back(pick(row, {feed::version, feed::kind, feed::gaps}));
    }
    co_return result;
}

Task<Result<Rows>> forget_feed(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = aged(transaction, where(feed::kind, std::string(deleted_event)), feed::at,
                            integer(arguments, 0));
    RP_CO_TRY(const auto rows, co_await transaction.remove("catalog_feed", std::move(filter)));
    co_return changed(rows);
}

Task<Result<Rows>> ping(ModelTransaction&, Row) {
    Rows result;
    result.rows.push_back(Row{std::int64_t{1}});
    co_return result;
}

std::vector<ModelTable> tables() {
    return {
        ModelTable{.name = "catalog_product",
                   .columns = {"sku", "id", "name", "description", "category", "minor_units",
                               "currency", "version"},
                   .indexes = {{product::id}, {product::category}}},
        ModelTable{.name = "catalog_deletion",
                   .columns = {"id", "done", "at"},
                   .indexes = {{deletion::done}}},
        ModelTable{.name = "catalog_feed",
                   .columns = {"product", "version", "kind", "gaps", "at"},
                   .indexes = {{feed::kind}}},
    };
}

std::vector<StatementModel> models() {
    return {
        {&statements::find_product, &find_product},
        {&statements::lock_product, &lock_product},
        {&statements::list_products, &list_products},
        {&statements::insert_product, &insert_product},
        {&statements::update_product, &update_product},
        {&statements::remove_product, &remove_product},
        {&statements::find_deletion, &find_deletion},
        {&statements::begin_deletion, &begin_deletion},
        {&statements::undo_deletion, &undo_deletion},
        {&statements::finish_deletion, &finish_deletion},
        {&statements::list_deletions, &list_deletions},
        {&statements::forget_deletions, &forget_deletions},
        {&statements::open_feed, &open_feed},
        {&statements::take_event, &take_event},
        {&statements::read_feed, &read_feed},
        {&statements::forget_feed, &forget_feed},
        {&statements::ping, &ping},
    };
}

}  // namespace

ModelSchema model_schema() {
    ModelSchema schema{tables(), models()};
    add_idempotency_model(schema, statements::keys());
    add_outbox_model(schema, statements::outbox());
    return schema;
}

}  // namespace rushproof::catalog
