#include "core/runtime/queue_route_model.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "core/runtime/model_parts.hpp"

namespace rushproof {

namespace {

using model::changed;
using model::pick;
using model::where;

struct Tables {
    std::string_view route;
    std::string_view members;
    std::string_view switches;
};

// Column numbers.
namespace route {
enum : std::size_t { one, epoch, provider, previous, phase, begun_at, deadline_at };
}
namespace member {
enum : std::size_t { id, role, epoch, drained, carried, until_at };
}
namespace past {
enum : std::size_t { epoch, from, to, begun_at, ended_at, carried, outcome, reason };
}

constexpr std::int64_t the_one = 1;

WallTime later(const ModelTransaction& transaction, const Row& arguments, std::size_t index) {
    return transaction.now() + std::chrono::microseconds(integer(arguments, index));
}

RowFilter of_epoch(const Row& arguments) {
    RowFilter filter = where(route::one, the_one);
    filter.where = [wanted = integer(arguments, 0)](const Row& row) {
        return integer(row, route::epoch) == wanted;
    };
    return filter;
}

Task<Result<Rows>> change(std::string_view table, ModelTransaction& transaction, RowFilter filter,
                          std::function<void(Row&)> act) {
    std::function<void(Row&)> next = [act = std::move(act)](Row& row) {
        row[route::epoch] = integer(row, route::epoch) + 1;
        act(row);
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update(table, std::move(filter), std::move(next)));
    co_return changed(rows);
}

Task<Result<Rows>> create(Tables tables, ModelTransaction& transaction, Row arguments) {
    Row row{the_one,           std::int64_t{1},  arguments[0], std::string(), std::string("steady"),
            transaction.now(), transaction.now()};
    RP_CO_TRY(const auto rows, co_await transaction.insert(tables.route, std::move(row), true));
    co_return changed(rows);
}

Task<Result<Rows>> read(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter filter = where(route::one, the_one);
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.route, std::move(filter)));
    Rows result;
    for (const Row& row : rows) {
        Row seen = pick(row, {route::epoch, route::provider, route::previous, route::phase});
        const auto age = transaction.now() - wall_time(row, route::begun_at);
        const auto left = wall_time(row, route::deadline_at) - transaction.now();
        seen.emplace_back(std::int64_t{age.count()});
        seen.emplace_back(std::int64_t{left.count()});
        result.rows.push_back(std::move(seen));
    }
    co_return result;
}

Task<Result<Rows>> begin(Tables tables, ModelTransaction& transaction, Row arguments) {
    const WallTime deadline = later(transaction, arguments, 2);
    return change(tables.route, transaction, of_epoch(arguments),
                  [to = arguments[1], now = transaction.now(), deadline](Row& row) {
                      row[route::previous] = row[route::provider];
                      row[route::provider] = to;
                      row[route::phase] = std::string("opening");
                      row[route::begun_at] = now;
                      row[route::deadline_at] = deadline;
                  });
}

Task<Result<Rows>> advance(Tables tables, ModelTransaction& transaction, Row arguments) {
    return change(tables.route, transaction, of_epoch(arguments),
                  [phase = arguments[1]](Row& row) { row[route::phase] = phase; });
}

Task<Result<Rows>> settle(Tables tables, ModelTransaction& transaction, Row arguments) {
    return change(tables.route, transaction, of_epoch(arguments),
                  [provider = arguments[1]](Row& row) {
                      row[route::phase] = std::string("steady");
                      row[route::provider] = provider;
                      row[route::previous] = std::string();
                  });
}

Task<Result<Rows>> record(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = of_epoch(arguments);
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.route, std::move(filter)));
    if (rows.empty()) { co_return Rows(); }
    Row row{arguments[0],      arguments[1], arguments[2], rows[0][route::begun_at],
            transaction.now(), arguments[3], arguments[4], arguments[5]};
    RP_CO_TRY(const auto added, co_await transaction.insert(tables.switches, std::move(row), true));
    co_return changed(added);
}

Task<Result<Rows>> switches(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter every;
    RP_CO_TRY(auto rows, co_await transaction.select(tables.switches, std::move(every)));
    std::reverse(rows.begin(), rows.end());
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(integer(arguments, 0))));
    Rows result;
    for (const Row& row : rows) {
        Row seen = pick(row, {past::from, past::to, past::begun_at});
        const auto length = wall_time(row, past::ended_at) - wall_time(row, past::begun_at);
        seen.emplace_back(std::int64_t{length.count()});
        for (const std::size_t column : {past::carried, past::outcome, past::reason}) {
            seen.push_back(row[column]);
        }
        result.rows.push_back(std::move(seen));
    }
    co_return result;
}

Task<Result<Rows>> renew(Tables tables, ModelTransaction& transaction, Row arguments) {
    Row fresh(arguments.begin(), arguments.begin() + member::until_at);
    fresh.emplace_back(later(transaction, arguments, member::until_at));
    Row inserted = fresh;
    RP_CO_TRY(auto rows, co_await transaction.insert(tables.members, std::move(inserted), true));
    if (rows.empty()) {
        RowFilter filter = where(member::id, fresh[member::id]);
        std::function<void(Row&)> replace = [fresh](Row& row) { row = fresh; };
        RP_CO_TRY(rows, co_await transaction.update(tables.members, std::move(filter),
                                                    std::move(replace)));
    }
    co_return changed(rows);
}

Task<Result<Rows>> members(Tables tables, ModelTransaction& transaction, Row) {
    RowFilter alive;
    alive.where = [now = transaction.now()](const Row& row) {
        return wall_time(row, member::until_at) > now;
    };
    RP_CO_TRY(const auto rows, co_await transaction.select(tables.members, std::move(alive)));
    Rows result;
    for (const Row& row : rows) {
        result.rows.push_back(
            pick(row, {member::id, member::role, member::epoch, member::drained, member::carried}));
    }
    co_return result;
}

Task<Result<Rows>> leave(Tables tables, ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(member::id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.remove(tables.members, std::move(filter)));
    co_return changed(rows);
}

Task<Result<Rows>> forget(Tables tables, ModelTransaction& transaction, Row arguments) {
    const WallTime oldest = transaction.now() - std::chrono::microseconds(integer(arguments, 0));
    RowFilter filter;
    filter.where = [oldest](const Row& row) { return wall_time(row, member::until_at) < oldest; };
    RP_CO_TRY(const auto rows, co_await transaction.remove(tables.members, std::move(filter)));
    co_return changed(rows);
}

using Function = Task<Result<Rows>> (*)(Tables, ModelTransaction&, Row);

}  // namespace

void add_queue_route_model(ModelSchema& schema, const QueueRouteSql& sql) {
    schema.tables.push_back(ModelTable{
        .name = sql.route_table,
        .columns = {"one", "epoch", "provider", "previous", "phase", "begun_at", "deadline_at"},
        .indexes = {}});
    schema.tables.push_back(
        ModelTable{.name = sql.member_table,
                   .columns = {"id", "role", "epoch", "drained", "carried", "until_at"},
                   .indexes = {}});
    schema.tables.push_back(
        ModelTable{.name = sql.switch_table,
                   .columns = {"epoch", "from_provider", "to_provider", "begun_at", "ended_at",
                               "carried", "outcome", "reason"},
                   .indexes = {}});
    const Tables tables{sql.route_table, sql.member_table, sql.switch_table};
    const std::pair<const Statement*, Function> models[] = {
        {&sql.create, &create},     {&sql.read, &read},     {&sql.begin, &begin},
        {&sql.advance, &advance},   {&sql.settle, &settle}, {&sql.record, &record},
        {&sql.switches, &switches}, {&sql.renew, &renew},   {&sql.members, &members},
        {&sql.leave, &leave},       {&sql.forget, &forget},
    };
    for (const auto& [statement, function] : models) {
        schema.statements.push_back(
            {statement, [tables, function](ModelTransaction& transaction, Row arguments) {
                 return function(tables, transaction, std::move(arguments));
             }});
    }
}

}  // namespace rushproof
