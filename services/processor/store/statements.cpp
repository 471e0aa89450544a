#include "services/processor/store/statements.hpp"

#include "services/processor/store/statements_mutant.hpp"

namespace rushproof::processor::statements {

// SQLite has no arrays: json_each gives the elements of one, and ->> what stands at the same place
// of another.  It keeps four parsed arrays, so no query looks into more of them at once.

const Statement insert_results{
    "processor.insert_results",
    "INSERT INTO processor.result "
    "(message_id, key, source, kind, processed_at, success, error, result, provider) "
    "SELECT id, key, source, kind, transaction_time(), success, error, result, provider "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], "
    "$7::text[], $8::text[]) WITH ORDINALITY "
    "AS r (id, key, source, kind, success, error, result, provider, position) ORDER BY position "
    "ON CONFLICT (message_id) DO NOTHING",
    "WITH r AS MATERIALIZED (SELECT key AS position, value AS id, $2 ->> key AS key, "
    "$3 ->> key AS source, $4 ->> key AS kind, $5 ->> key AS success FROM json_each($1)) "
    "INSERT INTO processor_result "
    "(message_id, key, source, kind, processed_at, success, error, result, provider) "
    "SELECT id, key, source, kind, transaction_time(), success, $6 ->> position, $7 ->> position, "
    "$8 ->> position FROM r WHERE true ORDER BY position ON CONFLICT (message_id) DO NOTHING",
};

const Statement find_result{
    "processor.find_result",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor.result WHERE message_id = $1",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor_result WHERE message_id = $1",
};

const Statement find_outcomes{
    "processor.find_outcomes",
    "SELECT message_id, success FROM processor.result WHERE message_id = ANY($1::text[])",
    "SELECT message_id, success FROM processor_result "
    "WHERE message_id IN (SELECT value FROM json_each($1))",
};

const Statement list_results{
    "processor.list_results",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor.result WHERE number > $1 ORDER BY number LIMIT $2",
    "SELECT number, message_id, key, source, kind, processed_at, success, error, result, provider "
    "FROM processor_result WHERE number > $1 ORDER BY number LIMIT $2",
};

const Statement forget_results{
    "processor.forget_results",
    "DELETE FROM processor.result WHERE number IN "
    "(SELECT number FROM processor.result ORDER BY number LIMIT $2) "
    "AND processed_at < transaction_time() - $1::bigint * interval '1 microsecond'",
    "DELETE FROM processor_result WHERE number IN "
    "(SELECT number FROM processor_result ORDER BY number LIMIT $2) "
    "AND processed_at < transaction_time() - $1",
};

const Statement bury{
    "processor.bury",
    "INSERT INTO processor.dead_letter "
    "(message_id, key, provider, reason, detail, attempts, dead_at, replays, message) "
    "SELECT id, key, provider, reason, detail, attempts, transaction_time(), 0, message "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], "
    "$7::text[]) AS d (id, key, provider, reason, detail, attempts, message) "
    "WHERE NOT EXISTS (SELECT FROM processor.result r WHERE r.message_id = d.id) "
    "ON CONFLICT (message_id) DO UPDATE SET provider = excluded.provider, "
    "reason = excluded.reason, detail = excluded.detail, attempts = excluded.attempts, "
    "dead_at = excluded.dead_at",
    "WITH d AS MATERIALIZED (SELECT key AS position, value AS id, $2 ->> key AS key, "
    "$3 ->> key AS provider, $4 ->> key AS reason, $5 ->> key AS detail FROM json_each($1)) "
    "INSERT INTO processor_dead_letter "
    "(message_id, key, provider, reason, detail, attempts, dead_at, replays, message) "
    "SELECT id, key, provider, reason, detail, $6 ->> position, transaction_time(), 0, "
    "$7 ->> position FROM d "
    "WHERE NOT EXISTS (SELECT 1 FROM processor_result r WHERE r.message_id = d.id) "
    "ON CONFLICT (message_id) DO UPDATE SET provider = excluded.provider, "
    "reason = excluded.reason, detail = excluded.detail, attempts = excluded.attempts, "
    "dead_at = excluded.dead_at",
};

const Statement find_dead{
    "processor.find_dead",
    "SELECT message_id, key, provider, reason, detail, attempts, dead_at, replays, replayed_at, "
    "message FROM processor.dead_letter WHERE message_id = $1",
    "SELECT message_id, key, provider, reason, detail, attempts, dead_at, replays, replayed_at, "
    "message FROM processor_dead_letter WHERE message_id = $1",
};

const Statement list_dead{
    "processor.list_dead",
    "SELECT message_id, key, provider, reason, detail, attempts, dead_at, replays, replayed_at, "
    "message FROM processor.dead_letter WHERE message_id > $1 ORDER BY message_id LIMIT $2",
    "SELECT message_id, key, provider, reason, detail, attempts, dead_at, replays, replayed_at, "
    "message FROM processor_dead_letter WHERE message_id > $1 ORDER BY message_id LIMIT $2",
};

const Statement note_replay{
    "processor.note_replay",
    "UPDATE processor.dead_letter SET replays = replays + 1, replayed_at = transaction_time() "
    "WHERE message_id = $1",
    "UPDATE processor_dead_letter SET replays = replays + 1, replayed_at = transaction_time() "
    "WHERE message_id = $1",
};

const Statement remove_dead{
    "processor.remove_dead",
    "DELETE FROM processor.dead_letter WHERE message_id = ANY($1::text[])",
    "DELETE FROM processor_dead_letter WHERE message_id IN (SELECT value FROM json_each($1))",
};

const Statement record_divergence{
    "processor.record_divergence",
    "INSERT INTO processor.divergence (message_id, lacking, reason, recorded_at, message) "
    "VALUES ($1, $2, $3, transaction_time(), $4) ON CONFLICT (message_id) DO UPDATE SET "
    "lacking = excluded.lacking, reason = excluded.reason, recorded_at = excluded.recorded_at",
    "INSERT INTO processor_divergence (message_id, lacking, reason, recorded_at, message) "
    "VALUES ($1, $2, $3, transaction_time(), $4) ON CONFLICT (message_id) DO UPDATE SET "
    "lacking = excluded.lacking, reason = excluded.reason, recorded_at = excluded.recorded_at",
};

const Statement list_divergences{
    "processor.list_divergences",
    "SELECT message_id, lacking, reason, recorded_at, message FROM processor.divergence "
    "WHERE message_id > $1 ORDER BY message_id LIMIT $2",
    "SELECT message_id, lacking, reason, recorded_at, message FROM processor_divergence "
    "WHERE message_id > $1 ORDER BY message_id LIMIT $2",
};

const Statement remove_divergences{
    "processor.remove_divergences",
    "DELETE FROM processor.divergence WHERE message_id = ANY($1::text[])",
    "DELETE FROM processor_divergence WHERE message_id IN (SELECT value FROM json_each($1))",
};

const Statement ping{"processor.ping", "SELECT 1", ""};

const QueueRouteSql& route() {
    static const QueueRouteSql statements({"processor", "processor.", "processor_"});
    return statements;
}

const TableQueueSql& queue() {
    static const TableQueueSql queue(RoleTables{"processor", "processor.", "processor_"});
    return queue;
}

namespace {

std::vector<const Statement*> list_all() {
    std::vector<const Statement*> list{
        &insert_results,     &find_result, &find_outcomes,     &list_results,
        &forget_results,     &bury,        &find_dead,         &list_dead,
        &note_replay,        &remove_dead, &record_divergence, &list_divergences,
        &remove_divergences, &ping,
    };
    for (const Statement* statement : route().all()) { list.push_back(statement); }
    for (const Statement* statement : queue().all()) { list.push_back(statement); }
    if constexpr (mutants_compiled) {
        for (const Statement* statement : mutants::statements()) { list.push_back(statement); }
    }
    return list;
}

}  // namespace

const std::vector<const Statement*>& all() {
    static const std::vector<const Statement*> statements = list_all();
    return statements;
}

}  // namespace rushproof::processor::statements
