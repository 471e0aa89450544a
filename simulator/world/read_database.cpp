#include "simulator/world/read_database.hpp"

#include <algorithm>

namespace rushproof::simulator {

namespace {

StockLine line_of(const Row& row) { return {integer(row, 1), integer(row, 2), integer(row, 3)}; }

}  // namespace

DatabaseContents read_database(const ModelSchema& schema, const ModelDatabase& database) {
    DatabaseContents contents;
    database.visit_committed(
        "stock", [&](const Row& row, Duration) { contents.stock[text(row, 0)] = line_of(row); });
    database.visit_committed("ledger", [&](const Row&, Duration) { ++contents.ledger_rows; });
    const auto has_table = [&](std::string_view name) {
        return std::any_of(schema.tables.begin(), schema.tables.end(),
                           [&](const ModelTable& table) { return table.name == name; });
    };
    if (has_table("processor_result")) {
        PipelineContents& pipeline = contents.pipeline.emplace();
        database.visit_committed("processor_result",
                                 [&](const Row&, Duration) { ++pipeline.processed; });
        database.visit_committed("processor_dead_letter",
                                 [&](const Row&, Duration) { ++pipeline.set_aside; });
    }
    if (!has_table("feed")) { return contents; }
    DeliveredEvents& events = contents.events.emplace();
    database.visit_committed("outbox", [&](const Row&, Duration) { ++events.undelivered; });
    database.visit_committed("feed", [&](const Row& row, Duration) {
        events.sums[text(row, 0)] = line_of(row);
        if (integer(row, 6) > 0) { events.in_disorder.push_back(text(row, 0)); }
    });
    return contents;
}

}  // namespace rushproof::simulator
