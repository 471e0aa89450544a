#include "services/inventory/store/statements_outbox_model.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/outbox_model.hpp"
#include "services/inventory/store/model_parts.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory::model {

namespace {

// Column numbers.
namespace feed {
enum : std::size_t { sku, on_hand, held, sold, first, last, disorder };
}

Task<Result<Rows>> receive(ModelTransaction& transaction, Row arguments) {
    std::vector<std::string> ids = texts(arguments, 0);
    std::sort(ids.begin(), ids.end());
    Rows result;
    for (const std::string& id : ids) {
        Row row{id, transaction.now()};
        RP_CO_TRY(const auto rows, co_await transaction.insert("inbox", std::move(row), true));
        for (const Row& inserted : rows) {
            result.rows.push_back(pick(inserted, {0}));
            ++result.affected;
        }
    }
    co_return result;
}

Task<Result<Rows>> forget(ModelTransaction& transaction, Row arguments) {
    const WallTime oldest = transaction.now() - std::chrono::microseconds(integer(arguments, 0));
    RowFilter filter;
    filter.where = [oldest](const Row& row) { return wall_time(row, 1) < oldest; };
    RP_CO_TRY(const auto rows, co_await transaction.remove("inbox", std::move(filter)));
    co_return changed(rows);
}

Task<Result<Rows>> open_feed(ModelTransaction& transaction, Row arguments) {
    std::vector<std::string> skus = texts(arguments, 0);
    std::sort(skus.begin(), skus.end());
    Rows result;
    for (const std::string& sku : skus) {
        Row row(feed::disorder + 1, std::int64_t{0});
        row[feed::sku] = sku;
        RP_CO_TRY(const auto rows, co_await transaction.insert("feed", std::move(row), true));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> add_to_feed(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        RowFilter filter = where(feed::sku, texts(arguments, 0)[i]);
        std::function<void(Row&)> change = [&arguments, i](Row& row) {
            for (const std::size_t column : {feed::on_hand, feed::held, feed::sold}) {
                row[column] = integer(row, column) + numbers(arguments, column)[i];
            }
            const bool late = numbers(arguments, feed::first)[i] <= integer(row, feed::last);
            row[feed::disorder] = integer(row, feed::disorder) + (late ? 1 : 0);
            row[feed::first] = numbers(arguments, feed::first)[i];
            row[feed::last] = numbers(arguments, feed::last)[i];
        };
        RP_CO_TRY(const auto rows,
                  co_await transaction.update("feed", std::move(filter), std::move(change)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

}  // namespace

void add_outbox(ModelSchema& schema) {
    add_outbox_model(schema, statements::outbox::sql());
    schema.tables.push_back(
        ModelTable{.name = "inbox", .columns = {"id", "received_at"}, .indexes = {}});
    schema.tables.push_back(
        ModelTable{.name = "feed",
                   .columns = {"sku", "on_hand", "held", "sold", "first", "last", "disorder"},
                   .indexes = {}});
    namespace outbox = statements::outbox;
    schema.statements.push_back({&outbox::receive, &receive});
    schema.statements.push_back({&outbox::forget, &forget});
    schema.statements.push_back({&outbox::open_feed, &open_feed});
    schema.statements.push_back({&outbox::add_to_feed, &add_to_feed});
}

}  // namespace rushproof::inventory::model
