// What each statement means to the simulated database: the same rows, locks and waits as its SQL
// in READ COMMITTED, in the same order.
#include <algorithm>
#include <functional>
#include <utility>

#include "core/runtime/model_parts.hpp"
#include "core/runtime/queue_route_model.hpp"
#include "core/runtime/table_queue_model.hpp"
#include "services/processor/processor_model.hpp"
#include "services/processor/store/statements.hpp"
#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor {

namespace {

using model::changed;
using model::numbers;
using model::pick;
using model::texts;
using model::where;

constexpr std::string_view result_table = "processor_result";
constexpr std::string_view dead_table = "processor_dead_letter";
constexpr std::string_view divergence_table = "processor_divergence";

// Column numbers.
namespace result {
enum : std::size_t {
    message_id,
    number,
    key,
    source,
    kind,
    processed_at,
    success,
    error,
    text,
    provider
};
}
namespace dead {
enum : std::size_t {
    message_id,
    key,
    provider,
    reason,
    detail,
    attempts,
    dead_at,
    replays,
    replayed_at,
    message
};
}
namespace divergence {
enum : std::size_t { message_id, lacking, reason, recorded_at, message };
}

// --- result ---

Row result_row(const Row& row) {
    return pick(row, {result::number, result::message_id, result::key, result::source, result::kind,
                      result::processed_at, result::success, result::error, result::text,
                      result::provider});
}

Task<Result<Rows>> insert_results(ModelTransaction& transaction, Row arguments) {
    Rows inserted;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        Row row{texts(arguments, 0)[i],   transaction.next_number(result_table),
                texts(arguments, 1)[i],   texts(arguments, 2)[i],
                texts(arguments, 3)[i],   transaction.now(),
                numbers(arguments, 4)[i], texts(arguments, 5)[i],
                texts(arguments, 6)[i],   texts(arguments, 7)[i]};
        RP_CO_TRY(const auto rows, co_await transaction.insert(result_table, std::move(row), true));
        inserted.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return inserted;
}

Task<Result<Rows>> find_result(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(result::message_id, arguments[0]);
    RP_CO_TRY(const auto rows, co_await transaction.select(result_table, std::move(filter)));
    Rows found;
    for (const Row& row : rows) { found.rows.push_back(result_row(row)); }
    co_return found;
}

Task<Result<Rows>> find_outcomes(ModelTransaction& transaction, Row arguments) {
    Rows found;
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(result::message_id, id);
        RP_CO_TRY(const auto rows, co_await transaction.select(result_table, std::move(filter)));
        for (const Row& row : rows) {
            found.rows.push_back(pick(row, {result::message_id, result::success}));
        }
    }
    co_return found;
}

Task<Result<Rows>> list_results(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) {
        return integer(row, result::number) > integer(arguments, 0);
    };
    RP_CO_TRY(const auto rows, co_await transaction.select(result_table, std::move(filter)));
    Rows page;
    for (const Row& row : rows) { page.rows.push_back(result_row(row)); }
    std::sort(page.rows.begin(), page.rows.end());  // by number
    page.rows.resize(std::min(page.rows.size(), static_cast<std::size_t>(integer(arguments, 1))));
    co_return page;
}

Task<Result<Rows>> forget_results(ModelTransaction& transaction, Row arguments) {
    RP_CO_TRY(auto rows, co_await transaction.select(result_table, RowFilter()));
    std::vector<std::int64_t> oldest;
    for (const Row& row : rows) { oldest.push_back(integer(row, result::number)); }
    std::sort(oldest.begin(), oldest.end());
    oldest.resize(std::min(oldest.size(), static_cast<std::size_t>(integer(arguments, 1))));
    const WallTime cutoff = transaction.now() - std::chrono::microseconds(integer(arguments, 0));
    RowFilter filter;
    filter.where = [&oldest, cutoff](const Row& row) {
        return wall_time(row, result::processed_at) < cutoff &&
               std::binary_search(oldest.begin(), oldest.end(), integer(row, result::number));
    };
    RP_CO_TRY(const auto removed, co_await transaction.remove(result_table, std::move(filter)));
    co_return changed(removed);
}

// --- dead_letter ---

Task<Result<Rows>> bury_one(ModelTransaction& transaction, Row row) {
    RowFilter same = where(dead::message_id, row[dead::message_id]);
    Row to_insert = row;
    RP_CO_TRY(const auto inserted,
              co_await transaction.insert(dead_table, std::move(to_insert), true));
    if (!inserted.empty()) { co_return changed(inserted); }
    std::function<void(Row&)> replace = [&row](Row& there) {
        for (const std::size_t column :
             {dead::provider, dead::reason, dead::detail, dead::attempts, dead::dead_at}) {
            there[column] = row[column];
        }
    };
    RP_CO_TRY(const auto updated,
              co_await transaction.update(dead_table, std::move(same), std::move(replace)));
    co_return changed(updated);
}

Task<Result<Rows>> bury(ModelTransaction& transaction, Row arguments) {
    Rows buried;
    for (std::size_t i = 0; i < texts(arguments, 0).size(); ++i) {
        RowFilter of_result = where(result::message_id, texts(arguments, 0)[i]);
        RP_CO_TRY(const auto results,
                  co_await transaction.select(result_table, std::move(of_result)));
        if (!results.empty()) { continue; }
        Row row{texts(arguments, 0)[i], texts(arguments, 1)[i], texts(arguments, 2)[i],
                texts(arguments, 3)[i], texts(arguments, 4)[i], numbers(arguments, 5)[i],
                transaction.now(),      std::int64_t{0},        std::monostate(),
                texts(arguments, 6)[i]};
        RP_CO_TRY(const Rows one, co_await bury_one(transaction, std::move(row)));
        buried.affected += one.affected;
    }
    co_return buried;
}

Task<Result<Rows>> find_dead(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(dead::message_id, arguments[0]);
    RP_CO_TRY(auto rows, co_await transaction.select(dead_table, std::move(filter)));
    Rows found;
    found.rows = std::move(rows);
    co_return found;
}

Task<Result<Rows>> list_dead(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) { return row[dead::message_id] > arguments[0]; };
    RP_CO_TRY(auto rows, co_await transaction.select(dead_table, std::move(filter)));
    Rows page;
    page.rows = std::move(rows);
    page.rows.resize(std::min(page.rows.size(), static_cast<std::size_t>(integer(arguments, 1))));
    co_return page;
}

Task<Result<Rows>> note_replay(ModelTransaction& transaction, Row arguments) {
    RowFilter filter = where(dead::message_id, arguments[0]);
    std::function<void(Row&)> note = [now = transaction.now()](Row& row) {
        row[dead::replays] = integer(row, dead::replays) + 1;
        row[dead::replayed_at] = now;
    };
    RP_CO_TRY(const auto rows,
              co_await transaction.update(dead_table, std::move(filter), std::move(note)));
    co_return changed(rows);
}

Task<Result<Rows>> remove_dead(ModelTransaction& transaction, Row arguments) {
    Rows removed;
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(dead::message_id, id);
        RP_CO_TRY(const auto rows, co_await transaction.remove(dead_table, std::move(filter)));
        removed.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return removed;
}

// --- divergence ---

Task<Result<Rows>> record_divergence(ModelTransaction& transaction, Row arguments) {
    Row row{arguments[0], arguments[1], arguments[2], transaction.now(), arguments[3]};
    RowFilter same = where(divergence::message_id, arguments[0]);
    RP_CO_TRY(const auto inserted,
              co_await transaction.insert(divergence_table, std::move(row), true));
    if (!inserted.empty()) { co_return changed(inserted); }
    std::function<void(Row&)> replace = [&arguments, now = transaction.now()](Row& there) {
        there[divergence::lacking] = arguments[1];
        there[divergence::reason] = arguments[2];
        there[divergence::recorded_at] = now;
    };
    RP_CO_TRY(const auto updated,
              co_await transaction.update(divergence_table, std::move(same), std::move(replace)));
    co_return changed(updated);
}

Task<Result<Rows>> list_divergences(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) {
        return row[divergence::message_id] > arguments[0];
    };
    RP_CO_TRY(auto rows, co_await transaction.select(divergence_table, std::move(filter)));
    Rows page;
    page.rows = std::move(rows);
    page.rows.resize(std::min(page.rows.size(), static_cast<std::size_t>(integer(arguments, 1))));
    co_return page;
}

Task<Result<Rows>> remove_divergences(ModelTransaction& transaction, Row arguments) {
    Rows removed;
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(divergence::message_id, id);
        RP_CO_TRY(const auto rows,
                  co_await transaction.remove(divergence_table, std::move(filter)));
        removed.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return removed;
}

Task<Result<Rows>> ping(ModelTransaction&, Row) {
    Rows rows;
    rows.rows.push_back(Row{std::int64_t{1}});
    co_return rows;
}

std::vector<ModelTable> tables() {
    return {
        ModelTable{.name = result_table,
                   .columns = {"message_id", "number", "key", "source", "kind", "processed_at",
                               "success", "error", "result", "provider"},
                   .indexes = {{result::number}}},
        ModelTable{.name = dead_table,
                   .columns = {"message_id", "key", "provider", "reason", "detail", "attempts",
                               "dead_at", "replays", "replayed_at", "message"},
                   .indexes = {}},
        ModelTable{.name = divergence_table,
                   .columns = {"message_id", "lacking", "reason", "recorded_at", "message"},
                   .indexes = {}},
    };
}

std::vector<StatementModel> models() {
    return {
        {&statements::insert_results, &insert_results},
        {&statements::find_result, &find_result},
        {&statements::find_outcomes, &find_outcomes},
        {&statements::list_results, &list_results},
        {&statements::forget_results, &forget_results},
        {&statements::bury, &bury},
        {&statements::find_dead, &find_dead},
        {&statements::list_dead, &list_dead},
        {&statements::note_replay, &note_replay},
        {&statements::remove_dead, &remove_dead},
        {&statements::record_divergence, &record_divergence},
        {&statements::list_divergences, &list_divergences},
        {&statements::remove_divergences, &remove_divergences},
        {&statements::ping, &ping},
    };
}

}  // namespace

ModelSchema model_schema() {
    ModelSchema schema{tables(), models()};
    add_queue_route_model(schema, statements::route());
    add_table_queue_model(schema, statements::queue());
    if constexpr (mutants_compiled) { mutants::extend(schema); }
    return schema;
}

}  // namespace rushproof::processor
