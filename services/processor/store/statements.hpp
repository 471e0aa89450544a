// The whole list of what processor may ask a database.  Batches come as arrays, one element per
// message, each message once.
#pragma once
#include <vector>

#include "core/ports/database.hpp"
#include "core/runtime/queue_route_sql.hpp"
#include "core/runtime/table_queue_sql.hpp"

namespace rushproof::processor::statements {

// result: one row per message that had its effect.  Rows are number, message_id, key, source, kind,
// processed_at, success (1 or 0), error, result, provider
//
// $1 ids, $2 keys, $3 sources, $4 kinds, $5 successes, $6 errors, $7 results, $8 providers; nothing
// for ids that are there; numbers grow in the order of the arrays
extern const Statement insert_results;
extern const Statement find_result;     // $1 id
extern const Statement find_outcomes;   // $1 ids -> id, success of those that are there
extern const Statement list_results;    // $1 number above which, $2 limit; in order of numbers
extern const Statement forget_results;  // $1 age in us, $2 limit: the oldest

// dead_letter: one row per message that can have no effect.  Rows are message_id, key, provider,
// reason, detail, attempts, dead_at, replays, replayed_at (NULL: never), message
//
// $1 ids, $2 keys, $3 providers, $4 reasons, $5 details, $6 attempts, $7 messages; nothing for ids
// that have a result; replaces what is there, but for its replays
extern const Statement bury;
extern const Statement find_dead;    // $1 id
extern const Statement list_dead;    // $1 id above which, $2 limit; in order of ids
extern const Statement note_replay;  // $1 id
extern const Statement remove_dead;  // $1 ids

// divergence: one row per message that some providers lack.  Rows are message_id, lacking (with
// commas between), reason, recorded_at, message
extern const Statement record_divergence;   // $1 id, $2 lacking, $3 reason, $4 message; replaces
extern const Statement list_divergences;    // $1 id above which, $2 limit; in order of ids
extern const Statement remove_divergences;  // $1 ids

// Which queue is used (core/runtime/queue_route_sql.hpp).
const QueueRouteSql& route();

extern const Statement ping;

// The queue "sqlite".
const TableQueueSql& queue();

const std::vector<const Statement*>& all();

}  // namespace rushproof::processor::statements
