#include <algorithm>
#include <utility>

#include "core/runtime/model_parts.hpp"
#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor::mutants {

namespace {

using model::texts;
using model::where;

constexpr std::string_view record_table = "processor_result";
constexpr std::string_view effect_table = "processor_effect";

// The first columns of result; those of effect begin the other way round.
enum : std::size_t { message_id, number, key, source, kind, processed_at };

Task<Result<Rows>> model_remove_records(ModelTransaction& transaction, Row arguments) {
    Rows removed;
    const WallTime cutoff = transaction.now() - std::chrono::microseconds(integer(arguments, 1));
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(message_id, id);
        filter.where = [cutoff](const Row& row) { return wall_time(row, processed_at) < cutoff; };
        RP_CO_TRY(const auto rows, co_await transaction.remove(record_table, std::move(filter)));
        removed.affected += static_cast<std::int64_t>(rows.size());
    }
    co_return removed;
}

Task<Result<Rows>> model_copy_effects(ModelTransaction& transaction, Row arguments) {
    Rows copied;
    for (const std::string& id : texts(arguments, 0)) {
        RowFilter filter = where(message_id, id);
        RP_CO_TRY(auto records, co_await transaction.select(record_table, std::move(filter)));
        for (Row& row : records) {
            std::swap(row[message_id], row[number]);
            RP_CO_TRY(const auto rows,
                      co_await transaction.insert(effect_table, std::move(row), true));
            copied.affected += static_cast<std::int64_t>(rows.size());
        }
    }
    co_return copied;
}

Task<Result<Rows>> model_list_effects(ModelTransaction& transaction, Row arguments) {
    RowFilter filter;
    filter.where = [&arguments](const Row& row) { return integer(row, 0) > integer(arguments, 0); };
    Rows page;
    RP_CO_TRY(page.rows, co_await transaction.select(effect_table, std::move(filter)));
    page.rows.resize(std::min(page.rows.size(), static_cast<std::size_t>(integer(arguments, 1))));
    co_return page;
}

}  // namespace

void extend(ModelSchema& schema) {
    schema.tables.push_back(
        ModelTable{.name = effect_table,
                   .columns = {"number", "message_id", "key", "source", "kind", "processed_at",
                               "success", "error", "result", "provider"},
                   .indexes = {}});
    schema.statements.push_back({&remove_records, &model_remove_records});
    schema.statements.push_back({&copy_effects, &model_copy_effects});
    schema.statements.push_back({&list_effects, &model_list_effects});
}

}  // namespace rushproof::processor::mutants
