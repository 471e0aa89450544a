#include "core/runtime/table_queue_model.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
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
    std::string_view groups;
    std::string_view lanes;
    std::string_view messages;
};

// Column numbers.
namespace lane {
enum : std::size_t { group, lane, claim, claimed_until };
}
namespace message {
enum : std::size_t { number, group, id, lane, content, published_at };
}

RowFilter everything() { return {}; }

RowFilter where_two(std::size_t first, Value one, std::size_t second, Value other) {
    RowFilter filter;
    filter.columns = {first, second};
    filter.values.push_back(std::move(one));
    filter.values.push_back(std::move(other));
    return filter;
}

std::set<std::int64_t> number_set(const Row& arguments, std::size_t index) {
    return {numbers(arguments, index).begin(), numbers(arguments, index).end()};
}

std::function<void(Row&)> claimed_until(WallTime until) {
    return [until](Row& row) { row[lane::claimed_until] = until; };
}

Task<Result<Rows>> insert_group(Tables tables, ModelTransaction& transaction, Value name) {
    Row row;
    row.push_back(std::move(name));
    RP_CO_TRY(const auto rows, co_await transaction.insert(tables.groups, std::move(row), true));
    co_return changed(rows);
}

Task<Result<Rows>> create(Tables tables, ModelTransaction& transaction, Row) {
    co_return co_await insert_group(tables, transaction, Value(std::string()));
}

Task<Result<Rows>> add_group(Tables tables, ModelTransaction& transaction, Row arguments) {
    co_return co_await insert_group(tables, transaction, std::move(arguments[0]));
}

Task<Result<Rows>> lock(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter itself = where(0, std::string());
    RP_CO_TRY(auto rows, co_await transaction.select_for_update(tables.groups, std::move(itself)));
    Rows result;
    result.rows = std::move(rows);
    co_return result;
}

Task<Result<Rows>> find_group(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter named = where(0, std::move(arguments[0]));
    RP_CO_TRY(auto rows, co_await transaction.select(tables.groups, std::move(named)));
    Rows result;
    result.rows = std::move(rows);
    co_return result;
}

Task<Result<Rows>> fullest(Tables tables, ModelTransaction& transaction, Row) {
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, everything()));
    std::map<std::string, std::int64_t> counts;
    for (const Row& row : rows) { ++counts[text(row, message::group)]; }
    std::int64_t most = 0;
    for (const auto& [group, count] : counts) { most = std::max(most, count); }
    Rows result;
    if (most > 0) { result.rows.push_back(Row{most}); }
    co_return result;
}

Task<Result<Rows>> count(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(message::group, std::move(arguments[0]));
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, std::move(filter)));
    Rows result;
    result.rows.push_back(Row{static_cast<std::int64_t>(rows.size())});
    co_return result;
}

Task<Result<Rows>> find_ids(Tables tables, ModelTransaction& transaction, Row arguments) {
    std::set<std::string> found;
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(message::id, id);
        RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, std::move(filter)));
        if (!rows.empty()) { found.insert(id); }
    }
    Rows result;
    for (const std::string& id : found) { result.rows.push_back(Row{id}); }
    co_return result;
}

// ON CONFLICT DO NOTHING: whoever inserts holds the lock, so nobody else does.
Task<Result<bool>> insert_message(Tables tables, ModelTransaction& transaction, Row row) {
    RowFilter same = where_two(message::id, row[message::id], message::group, row[message::group]);
    RP_CO_TRY(const auto known, co_await transaction.select(tables.messages, std::move(same)));
    if (!known.empty()) { co_return false; }
    RP_CO_CHECK(co_await transaction.insert(tables.messages, std::move(row)));
    co_return true;
}

Task<Result<Rows>> append(Tables tables, ModelTransaction& transaction, Row arguments) {
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.groups, everything()));
    std::vector<std::string> groups;
    for (const Row& row : rows) {
        if (!text(row, 0).empty()) { groups.push_back(text(row, 0)); }
    }
    if (groups.empty()) { groups.emplace_back(); }
    Rows result;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        for (const std::string& group : groups) {
            Row row(1);  // numbered by the table
            row.emplace_back(group);
            row.emplace_back(texts(arguments, 0)[i]);
            row.emplace_back(numbers(arguments, 1)[i]);
            row.emplace_back(texts(arguments, 2)[i]);
            row.emplace_back(transaction.now());
            RP_CO_TRY(const bool inserted,
                      co_await insert_message(tables, transaction, std::move(row)));
            if (inserted) { ++result.affected; }
        }
    }
    co_return result;
}

Task<Result<Rows>> copy(Tables tables, ModelTransaction& transaction, Row arguments) {
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, everything()));
    std::set<std::string> copied;
    Rows result;
    for (const Row& row : rows) {
        if (!copied.insert(text(row, message::id)).second) { continue; }
        Row mine = row;
        mine[message::number] = Value();
        mine[message::group] = arguments[0];
        RP_CO_TRY(const bool inserted,
                  co_await insert_message(tables, transaction, std::move(mine)));
        if (inserted) { ++result.affected; }
    }
    co_return result;
}

Task<Result<Rows>> remove_unread(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter filter = where(message::group, std::string());
    RP_CO_TRY(const auto rows, co_await transaction.remove(tables.messages, std::move(filter)));
    co_return changed(rows);
}

Task<Result<Rows>> create_lanes(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 1)) {
        Row row{arguments[0], number, std::string(), WallTime()};
        RP_CO_TRY(const auto rows, co_await transaction.insert(tables.lanes, std::move(row), true));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> claim(Tables tables, ModelTransaction& transaction, Row arguments) {
    const Value group = arguments[0];
    const Value claimant = arguments[1];
    const std::set<std::int64_t> left_out = number_set(arguments, 3);
    RowFilter of_group = where(message::group, group);
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, std::move(of_group)));
    std::vector<std::int64_t> order;  // lanes by their oldest message
    for (const Row& row : rows) {
        const std::int64_t number = integer(row, message::lane);
        const bool known = std::find(order.begin(), order.end(), number) != order.end();
        if (!known && !left_out.contains(integer(row, message::number))) {
            order.push_back(number);
        }
    }
    const WallTime now = transaction.now();
    const auto limit = static_cast<std::size_t>(integer(arguments, 4));
    Rows result;
    for (const std::int64_t number : order) {
        if (result.rows.size() == limit) { break; }
        RowFilter free = where_two(lane::group, group, lane::lane, number);
        free.where = [now, claimant](const Row& row) {
            return wall_time(row, lane::claimed_until) <= now || row[lane::claim] == claimant;
        };
        RP_CO_TRY(const auto locked, co_await transaction.select_for_update(
                                         tables.lanes, std::move(free), LockWait::skip_locked, 1));
        if (!locked.empty()) { result.rows.push_back(Row{number}); }
    }
    const WallTime until = now + std::chrono::microseconds(integer(arguments, 2));
    for (const Row& row : result.rows) {
        RowFilter mine = where_two(lane::group, group, lane::lane, row[0]);
        std::function<void(Row&)> take = [claimant, until](Row& taken) {
            taken[lane::claim] = claimant;
            taken[lane::claimed_until] = until;
        };
        RP_CO_TRY(const auto updated,
                  co_await transaction.update(tables.lanes, std::move(mine), std::move(take)));
        result.affected += static_cast<std::int64_t>(updated.size());
    }
    co_return result;
}

Task<Result<Rows>> read(Tables tables, ModelTransaction& transaction, Row arguments) {
    const WallTime now = transaction.now();
    RowFilter mine = where_two(lane::group, arguments[0], lane::claim, arguments[1]);
    mine.where = [now](const Row& row) { return wall_time(row, lane::claimed_until) > now; };
    RP_CO_TRY(const auto lanes, co_await transaction.select(tables.lanes, std::move(mine)));
    std::set<std::int64_t> claimed;
    for (const Row& row : lanes) { claimed.insert(integer(row, lane::lane)); }
    RowFilter filter = where(message::group, arguments[0]);
    filter.where = [claimed, left_out = number_set(arguments, 2)](const Row& row) {
        return claimed.contains(integer(row, message::lane)) &&
               !left_out.contains(integer(row, message::number));
    };
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.messages, std::move(filter)));
    const auto limit = static_cast<std::size_t>(integer(arguments, 3));
    Rows result;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) {
        result.rows.push_back(pick(rows[i], {message::number, message::content}));
    }
    co_return result;
}

Task<Result<Rows>> renew(Tables tables, ModelTransaction& transaction, Row arguments) {
    const WallTime until = transaction.now() + std::chrono::microseconds(integer(arguments, 1));
    Rows result;
    for (const std::string& claimant : texts(arguments, 0)) {
        RowFilter claimed = where(lane::claim, claimant);
        RP_CO_TRY(const auto mine, co_await transaction.select_for_update(
                                       tables.lanes, std::move(claimed), LockWait::skip_locked));
        for (const Row& row : mine) {
            RowFilter one = where_two(lane::group, row[lane::group], lane::lane, row[lane::lane]);
            std::function<void(Row&)> extend = claimed_until(until);
            RP_CO_TRY(const auto rows,
                      co_await transaction.update(tables.lanes, std::move(one), std::move(extend)));
            result.affected += static_cast<std::int64_t>(rows.size());
        }
    }
    co_return result;
}

Task<Result<Rows>> release(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where_two(lane::group, arguments[0], lane::claim, arguments[1]);
    filter.where = [lanes = number_set(arguments, 2)](const Row& row) {
        return lanes.contains(integer(row, lane::lane));
    };
    std::function<void(Row&)> free = claimed_until(WallTime());
    RP_CO_TRY(const auto rows,
              co_await transaction.update(tables.lanes, std::move(filter), std::move(free)));
    co_return changed(rows);
}

Task<Result<Rows>> abandon(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::string& claimant : texts(arguments, 0)) {
        RowFilter filter = where(lane::claim, claimant);
        std::function<void(Row&)> free = claimed_until(WallTime());
        RP_CO_TRY(const auto rows,
                  co_await transaction.update(tables.lanes, std::move(filter), std::move(free)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

Task<Result<Rows>> remove(Tables tables, ModelTransaction& transaction, Row arguments) {
    Rows result;
    for (const std::int64_t number : numbers(arguments, 0)) {
        RowFilter filter = where(message::number, number);
        RP_CO_TRY(const auto rows, co_await transaction.remove(tables.messages, std::move(filter)));
        result.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return result;
}

using Function = Task<Result<Rows>> (*)(Tables, ModelTransaction&, Row);

}  // namespace

void add_table_queue_model(ModelSchema& schema, const TableQueueSql& sql) {
    schema.tables.push_back(
        ModelTable{.name = sql.groups, .columns = {"group_name"}, .indexes = {}});
    schema.tables.push_back(ModelTable{.name = sql.lanes,
                                       .columns = {"group_name", "lane", "claim", "claimed_until"},
                                       .key_columns = 2,
                                       .indexes = {{lane::claim}, {lane::group, lane::claim}}});
    schema.tables.push_back(
        ModelTable{.name = sql.messages,
                   .columns = {"number", "group_name", "id", "lane", "content", "published_at"},
                   .identity = true,
                   .indexes = {{message::group}, {message::id}, {message::id, message::group}}});
    const Tables tables{sql.groups, sql.lanes, sql.messages};
    const std::pair<const Statement*, Function> models[] = {
        {&sql.create, &create},
        {&sql.lock, &lock},
        {&sql.fullest, &fullest},
        {&sql.find_ids, &find_ids},
        {&sql.append, &append},
        {&sql.add_group, &add_group},
        {&sql.create_lanes, &create_lanes},
        {&sql.copy, &copy},
        {&sql.remove_unread, &remove_unread},
        {&sql.claim, &claim},
        {&sql.read, &read},
        {&sql.renew, &renew},
        {&sql.release, &release},
        {&sql.abandon, &abandon},
        {&sql.remove, &remove},
        {&sql.count, &count},
        {&sql.find_group, &find_group},
    };
    for (const auto& [statement, function] : models) {
        schema.statements.push_back(
            {statement, [tables, function](ModelTransaction& transaction, Row arguments) {
                 return function(tables, transaction, std::move(arguments));
             }});
    }
}

}  // namespace rushproof
