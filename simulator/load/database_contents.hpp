// After the end: what the database itself says, against what the public API said.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

struct StockLine {
    std::int64_t on_hand = 0;
    std::int64_t held = 0;
    std::int64_t sold = 0;
    friend bool operator==(const StockLine&, const StockLine&) = default;
};

// What came of the events that were sent with the changes.
struct DeliveredEvents {
    std::map<std::string, StockLine> sums;  // of all that was delivered, by SKU
    std::vector<std::string> in_disorder;   // SKUs
    std::size_t undelivered = 0;
};

// Of a system with a pipeline.
struct PipelineContents {
    std::size_t processed = 0;  // messages that had their effect
    std::size_t set_aside = 0;
};

// As a world reads it from its own database, of whatever kind.
struct DatabaseContents {
    std::map<std::string, StockLine> stock;  // by SKU
    std::size_t ledger_rows = 0;
    std::optional<DeliveredEvents> events;  // of a system that sends some
    std::vector<std::string> in_several;    // SKUs that more than one shard believes to keep
    std::optional<PipelineContents> pipeline;
};

// What the shards of a database hold together.
DatabaseContents merge_shards(std::vector<DatabaseContents> shards);

// Disagreements, one sentence each; empty when the database confirms the audited history, and its
// events tell what the ledger tells: none was lost, doubled, made up or in disorder.
std::vector<std::string> compare_with_database(const History& history,
                                               const Result<DatabaseContents>& contents);

}  // namespace rushproof::simulator
