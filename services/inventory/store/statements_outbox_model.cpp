#include "services/inventory/store/statements_outbox_model.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "services/inventory/store/model_parts.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory::model {

namespace {

// Column numbers.
namespace event {
enum : std::size_t { number, id, lane, aggregate, kind, body, created_at };
}
namespace lane {
enum : std::size_t { lane, claim, claimed_until };
}
namespace feed {
enum : std::size_t { sku, on_hand, held, sold, first, last, disorder };
}

Task<Result<Rows>> append(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row row(1);  // numbered by the table
        row.emplace_back(texts(arguments, 0)[i]);
        row.emplace_back(numbers(arguments, 1)[i]);
        row.emplace_back(texts(arguments, 2)[i]);
        row.emplace_back(texts(arguments, 3)[i]);
        row.emplace_back(texts(arguments, 4)[i]);
        row.emplace_back(transaction.now());
        RP_CO_CHECK(co_await transaction.insert("outbox", std::move(row)));
        ++result.affected;
    }
    co_return result;
}

Task<Result<Rows>> create_lanes(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        Row row{number, std::string(), WallTime()};
        RP_CO_TRY(const auto rows,
                  co_await transaction.insert("outbox_lane", std::move(row), true));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> backlog(ModelTransaction& transaction, Row) {
    RowFilter all;
    RP_CO_TRY(const auto rows, co_await transaction.select("outbox", std::move(all)));
    Rows result;
    result.rows.push_back(Row{static_cast<std::int64_t>(rows.size())});
    co_return result;
}

Task<Result<Rows>> claim_lane(ModelTransaction& transaction, Row arguments) {
    RowFilter all;
    RP_CO_TRY(const auto events, co_await transaction.select("outbox", std::move(all)));
    std::set<std::int64_t> filled;
    for (const Row& row : events) { filled.insert(integer(row, event::lane)); }
    const WallTime now = transaction.now();
    const std::int64_t first = integer(arguments, 2);
    std::vector<std::int64_t> order(filled.lower_bound(first), filled.end());
    order.insert(order.end(), filled.begin(), filled.lower_bound(first));
    for (const std::int64_t number : order) {
        RowFilter free = where(lane::lane, number);
        free.where = [now](const Row& row) { return wall_time(row, lane::claimed_until) <= now; };
        RP_CO_TRY(const auto locked, co_await transaction.select_for_update(
                                         "outbox_lane", std::move(free), LockWait::skip_locked, 1));
        if (locked.empty()) { continue; }
        RowFilter mine = where(lane::lane, number);
        const WallTime until = now + std::chrono::microseconds(integer(arguments, 1));
        std::function<void(Row&)> claim = [claim = arguments[0], until](Row& row) {
            row[lane::claim] = claim;
            row[lane::claimed_until] = until;
        };
        RP_CO_TRY(const auto claimed,
                  co_await transaction.update("outbox_lane", std::move(mine), std::move(claim)));
        Rows result = changed(claimed);
        result.rows.push_back(Row{number});
        co_return result;
    }
    co_return Rows();
}

Task<Result<Rows>> read_lane(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(event::lane, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select("outbox", std::move(filter)));
    const auto limit = static_cast<std::size_t>(integer(arguments, 1));
    Rows result;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        Row read =
            pick(rows[i], {event::number, event::id, event::aggregate, event::kind, event::body});
        const auto age = transaction.now() - wall_time(rows[i], event::created_at);
        read.emplace_back(std::int64_t{age.count()});
        result.rows.push_back(std::move(read));
    }
    co_return result;
}

Task<Result<Rows>> remove(ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        RowFilter filter = where(event::number, number);
        RP_CO_TRY(const auto rows, co_await transaction.remove("outbox", std::move(filter)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> release_lane(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(lane::lane, arguments[0]);
    filter.where = [claim = arguments[1]](const Row& row) { return row[lane::claim] == claim; };
    std::function<void(Row&)> release = [](Row& row) { row[lane::claimed_until] = WallTime(); };
    RP_CO_TRY(const auto rows,
              co_await transaction.update("outbox_lane", std::move(filter), std::move(release)));
    co_return changed(rows);
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
    schema.tables.push_back(
        ModelTable{.name = "outbox",
                   .columns = {"number", "id", "lane", "aggregate", "kind", "body", "created_at"},
                   .identity = true,
                   .indexes = {{event::lane}}});
    schema.tables.push_back(ModelTable{
        .name = "outbox_lane", .columns = {"lane", "claim", "claimed_until"}, .indexes = {}});
    schema.tables.push_back(
        ModelTable{.name = "inbox", .columns = {"id", "received_at"}, .indexes = {}});
    schema.tables.push_back(
        ModelTable{.name = "feed",
                   .columns = {"sku", "on_hand", "held", "sold", "first", "last", "disorder"},
                   .indexes = {}});
    namespace outbox = statements::outbox;
    schema.statements.push_back({&outbox::append, &append});
    schema.statements.push_back({&outbox::create_lanes, &create_lanes});
    schema.statements.push_back({&outbox::backlog, &backlog});
    schema.statements.push_back({&outbox::claim_lane, &claim_lane});
    schema.statements.push_back({&outbox::read_lane, &read_lane});
    schema.statements.push_back({&outbox::remove, &remove});
    schema.statements.push_back({&outbox::release_lane, &release_lane});
    schema.statements.push_back({&outbox::receive, &receive});
    schema.statements.push_back({&outbox::forget, &forget});
    schema.statements.push_back({&outbox::open_feed, &open_feed});
    schema.statements.push_back({&outbox::add_to_feed, &add_to_feed});
}

}  // namespace rushproof::inventory::model
