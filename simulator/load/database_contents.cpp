#include "simulator/load/database_contents.hpp"

namespace rushproof::simulator {

namespace {

void compare_stock(const History& history, const DatabaseContents& contents,
                   std::vector<std::string>& found) {
    std::map<std::string, StockLine> said;
    for (const FinalStock& line : history.final_stock) {
        said[history.texts.text(line.key)] = {line.on_hand, line.held, line.sold};
    }
    for (const auto& [sku, line] : contents.stock) {
        if (line == said[sku]) { continue; }
        found.push_back("the API and the database disagree on the stock of " + sku);
    }
    if (contents.ledger_rows != history.ledger.size()) {
        found.push_back("the database has " + std::to_string(contents.ledger_rows) +
                        " ledger rows, the API showed " + std::to_string(history.ledger.size()));
    }
    for (const std::string& sku : contents.in_several) {
        found.push_back(sku + " is in more than one database");
    }
}

// Not what the stock's own row says: a strategy that loses updates breaks that, and `conservation`
// finds it.
std::map<std::string, StockLine> sums_of_ledger(const History& history) {
    std::map<std::string, StockLine> sums;
    for (const LedgerEntry& entry : history.ledger) {
        StockLine& sum = sums[history.texts.text(entry.key)];
        if (entry.kind == "stock") {
            sum.on_hand += entry.quantity;
        } else if (entry.kind == "reserve") {
            sum.held += entry.quantity;
        } else {
            sum.held -= entry.quantity;
        }
        if (entry.kind == "confirm") {
            sum.on_hand -= entry.quantity;
            sum.sold += entry.quantity;
        }
    }
    return sums;
}

void compare_events(const History& history, DeliveredEvents events,
                    std::vector<std::string>& found) {
    if (events.undelivered > 0) {
        found.push_back(std::to_string(events.undelivered) + " events were never delivered");
    }
    for (const std::string& sku : events.in_disorder) {
        found.push_back("events of " + sku + " came in disorder");
    }
    auto written = sums_of_ledger(history);
    for (const auto& [sku, sum] : events.sums) { written.try_emplace(sku); }
    for (const auto& [sku, sum] : written) {
        if (sum == events.sums[sku]) { continue; }
        found.push_back("the events and the ledger disagree on " + sku);
    }
}

void compare_messages(const History& history, const PipelineContents& contents,
                      std::vector<std::string>& found) {
    PipelineContents shown;
    for (const Event& event : history.events) {
        if (event.function != Function::process) { continue; }
        if (event.type == EventType::ok) { ++shown.processed; }
        if (event.type == EventType::fail) { ++shown.set_aside; }
    }
    const auto compare = [&](const char* what, std::size_t in_database, std::size_t told) {
        if (in_database == told) { return; }
        found.push_back("the database has " + std::to_string(in_database) + " messages that were " +
                        what + ", the API showed " + std::to_string(told));
    };
    compare("processed", contents.processed, shown.processed);
    compare("set aside", contents.set_aside, shown.set_aside);
}

}  // namespace

DatabaseContents merge_shards(std::vector<DatabaseContents> shards) {
    DatabaseContents all;
    for (DatabaseContents& shard : shards) {
        for (const auto& [sku, line] : shard.stock) {
            if (!all.stock.emplace(sku, line).second) { all.in_several.push_back(sku); }
        }
        all.ledger_rows += shard.ledger_rows;
        if (shard.pipeline) { all.pipeline = shard.pipeline; }
        if (!shard.events) { continue; }
        if (!all.events) { all.events.emplace(); }
        all.events->sums.merge(shard.events->sums);
        all.events->in_disorder.insert(all.events->in_disorder.end(),
                                       shard.events->in_disorder.begin(),
                                       shard.events->in_disorder.end());
        all.events->undelivered += shard.events->undelivered;
    }
    return all;
}

std::vector<std::string> compare_with_database(const History& history,
                                               const Result<DatabaseContents>& contents) {
    if (!contents) { return {contents.error().message()}; }
    std::vector<std::string> found;
    compare_stock(history, *contents, found);
    if (contents->events) { compare_events(history, *contents->events, found); }
    if (contents->pipeline) { compare_messages(history, *contents->pipeline, found); }
    return found;
}

}  // namespace rushproof::simulator
