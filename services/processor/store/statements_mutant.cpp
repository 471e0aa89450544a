#include "services/processor/store/statements_mutant.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "core/runtime/transactions.hpp"

namespace rushproof::processor::mutants {

namespace {

// Brokers deliver again after seconds.
constexpr std::chrono::microseconds remembered = std::chrono::seconds(1);
constexpr std::chrono::microseconds of_any_age = -std::chrono::hours(1);

std::vector<std::string> ids_of(std::span<const Decision> decisions) {
    std::vector<std::string> ids;
    for (const Decision& decision : decisions) {
        if (!decision.dead) { ids.push_back(decision.work->id); }
    }
    return ids;
}

}  // namespace

const Statement remove_records{
    "processor.mutant.remove_records",
    "DELETE FROM processor.result WHERE message_id = ANY($1::text[]) "
    "AND processed_at < transaction_time() - $2::bigint * interval '1 microsecond'",
    "DELETE FROM processor_result WHERE message_id IN (SELECT value FROM json_each($1)) "
    "AND processed_at < transaction_time() - $2",
};

const Statement copy_effects{
    "processor.mutant.copy_effects",
    "INSERT INTO processor.effect SELECT number, message_id, key, source, kind, processed_at, "
    "success, error, result, provider FROM processor.result WHERE message_id = ANY($1::text[]) "
    "ON CONFLICT (number) DO NOTHING",
    "INSERT INTO processor_effect SELECT number, message_id, key, source, kind, processed_at, "
    "success, error, result, provider FROM processor_result "
    "WHERE message_id IN (SELECT value FROM json_each($1)) ON CONFLICT (number) DO NOTHING",
};

const Statement list_effects{
    "processor.mutant.list_effects",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor.effect WHERE number > $1 ORDER BY number LIMIT $2",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor_effect WHERE number > $1 ORDER BY number LIMIT $2",
};

const Migration create_tables{
    .version = 1'000'001,
    .name = "processor.mutant.create_tables",
    .sql = R"(
CREATE TABLE processor.effect (
    number bigint PRIMARY KEY,
    message_id text NOT NULL,
    key text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    processed_at timestamptz NOT NULL,
    success bigint NOT NULL,
    error text NOT NULL,
    result text NOT NULL,
    provider text NOT NULL
);
)",
    .sqlite = R"(
CREATE TABLE processor_effect (
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    processed_at TIMESTAMP NOT NULL,
    success INTEGER NOT NULL,
    error TEXT NOT NULL,
    result TEXT NOT NULL,
    provider TEXT NOT NULL
);
)",
};

std::vector<Call> calls_before(Mutant mutant, std::span<const Decision> decisions) {
    if (!keeps_effects_apart(mutant)) { return {}; }
    const auto age = mutant == Mutant::m20_record_for_too_short ? remembered : of_any_age;
    return pipeline(Call(remove_records, Row{ids_of(decisions), std::int64_t{age.count()}}));
}

std::vector<Call> calls_behind(Mutant mutant, std::span<const Decision> decisions) {
    if (!keeps_effects_apart(mutant)) { return {}; }
    return pipeline(Call(copy_effects, Row{ids_of(decisions)}));
}

const std::vector<const Statement*>& statements() {
    static const std::vector<const Statement*> all{&remove_records, &copy_effects, &list_effects};
    return all;
}

}  // namespace rushproof::processor::mutants
