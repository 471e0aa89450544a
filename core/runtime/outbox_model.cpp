#include "core/runtime/outbox_model.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "core/runtime/model_parts.hpp"

namespace rushproof {

namespace {

using model::changed;
using model::numbers;
using model::pick;
using model::texts;
using model::where;

struct Tables {
    std::string_view events;
    std::string_view lanes;
};

// Column numbers.
namespace event {
enum : std::size_t { number, id, lane, aggregate, kind, body, created_at, attempts, reason, dead };
}
namespace lane {
enum : std::size_t { lane, claim, claimed_until };
}

Task<Result<Rows>> append(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row row(1);  // numbered by the table
        row.emplace_back(texts(arguments, 0)[i]);
        row.emplace_back(numbers(arguments, 1)[i]);
        row.emplace_back(texts(arguments, 2)[i]);
        row.emplace_back(texts(arguments, 3)[i]);
        row.emplace_back(texts(arguments, 4)[i]);
        row.emplace_back(transaction.now());
        row.emplace_back(std::int64_t{0});
        row.emplace_back(std::string());
        row.emplace_back(std::int64_t{0});
        RP_CO_CHECK(co_await transaction.insert(tables.events, std::move(row)));
        ++result.affected;
    }
    co_return result;
}

Task<Result<Rows>> create_lanes(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        Row row{number, std::string(), WallTime()};
        RP_CO_TRY(const auto rows, co_await transaction.insert(tables.lanes, std::move(row), true));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> backlog(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter all;
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.events, std::move(all)));
    const auto dead = std::count_if(rows.begin(), rows.end(),
                                    [](const Row& row) { return integer(row, event::dead) == 1; });
    Rows result;
    result.rows.push_back(
        Row{static_cast<std::int64_t>(rows.size()) - std::int64_t{dead}, std::int64_t{dead}});
    co_return result;
}

Task<Result<Rows>> ends(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter all;
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.events, std::move(all)));
    const auto first = std::find_if(rows.begin(), rows.end(),
                                    [](const Row& row) { return integer(row, event::dead) == 0; });
    Rows result;
    result.rows.push_back(Row{first == rows.end() ? 0 : integer(*first, event::number),
                              rows.empty() ? 0 : integer(rows.back(), event::number)});
    co_return result;
}

Task<Result<Rows>> waiting(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        RowFilter filter = where(event::number, number);
        RP_CO_TRY(const auto rows, co_await transaction.select(tables.events, std::move(filter)));
        if (rows.empty() || integer(rows[0], event::dead) != 0) { continue; }
        result.rows.push_back(pick(rows[0], {event::number}));
    }
    co_return result;
}

Task<Result<Rows>> claim_lane(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter alive;
    alive.where = [](const Row& row) { return integer(row, event::dead) == 0; };
    RP_CO_TRY(const auto events, co_await transaction.select(tables.events, std::move(alive)));
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
                                         tables.lanes, std::move(free), LockWait::skip_locked, 1));
        if (locked.empty()) { continue; }
        RowFilter mine = where(lane::lane, number);
        const WallTime until = now + std::chrono::microseconds(integer(arguments, 1));
        std::function<void(Row&)> claim = [claim = arguments[0], until](Row& row) {
            row[lane::claim] = claim;
            row[lane::claimed_until] = until;
        };
        RP_CO_TRY(const auto claimed,
                  co_await transaction.update(tables.lanes, std::move(mine), std::move(claim)));
        Rows result = changed(claimed);
        result.rows.push_back(Row{number});
        co_return result;
    }
    co_return Rows();
}

Task<Result<Rows>> read_lane(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(event::lane, arguments[0]);
    filter.where = [](const Row& row) { return integer(row, event::dead) == 0; };
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.events, std::move(filter)));
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

Task<Result<Rows>> remove(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        RowFilter filter = where(event::number, number);
        RP_CO_TRY(const auto rows, co_await transaction.remove(tables.events, std::move(filter)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> refuse(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(event::number, arguments[0]);
    std::function<void(Row&)> count = [&arguments](Row& row) {
        const std::int64_t attempts = integer(row, event::attempts) + 1;
        row[event::attempts] = attempts;
        row[event::reason] = arguments[1];
        row[event::dead] = std::int64_t{attempts >= integer(arguments, 2) ? 1 : 0};
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update(tables.events, std::move(filter), std::move(count)));
    Rows result = changed(rows);
    for (const Row& row : rows) { result.rows.push_back(pick(row, {event::dead})); }
    co_return result;
}

Task<Result<Rows>> release_lane(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(lane::lane, arguments[0]);
    filter.where = [claim = arguments[1]](const Row& row) { return row[lane::claim] == claim; };
    std::function<void(Row&)> release = [](Row& row) { row[lane::claimed_until] = WallTime(); };
    RP_CO_TRY(const auto rows,
              co_await transaction.update(tables.lanes, std::move(filter), std::move(release)));
    co_return changed(rows);
}

using Function = Task<Result<Rows>> (*)(Tables, ModelTransaction&, Row);

}  // namespace

void add_outbox_model(ModelSchema& schema, const OutboxSql& sql) {
    schema.tables.push_back(
        ModelTable{.name = sql.events,
                   .columns = {"number", "id", "lane", "aggregate", "kind", "body", "created_at",
                               "attempts", "reason", "dead"},
                   .identity = true,
                   .indexes = {{event::lane}}});
    schema.tables.push_back(ModelTable{
        .name = sql.lanes, .columns = {"lane", "claim", "claimed_until"}, .indexes = {}});
    const Tables tables{sql.events, sql.lanes};
    const std::pair<const Statement*, Function> models[] = {
        {&sql.append, &append},       {&sql.create_lanes, &create_lanes},
        {&sql.backlog, &backlog},     {&sql.ends, &ends},
        {&sql.waiting, &waiting},     {&sql.claim_lane, &claim_lane},
        {&sql.read_lane, &read_lane}, {&sql.remove, &remove},
        {&sql.refuse, &refuse},       {&sql.release_lane, &release_lane},
    };
    for (const auto& [statement, function] : models) {
        schema.statements.push_back(
            {statement, [tables, function](ModelTransaction& transaction, Row arguments) {
                 return function(tables, transaction, std::move(arguments));
             }});
    }
}

}  // namespace rushproof
