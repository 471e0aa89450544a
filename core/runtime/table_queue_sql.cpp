#include "core/runtime/table_queue_sql.hpp"

namespace rushproof {

namespace {

// In SQLite the clock counts microseconds, and arrays come as JSON.
constexpr std::string_view append_postgres =
    "INSERT INTO @queue_message (group_name, id, lane, content, published_at) "
    "SELECT g.group_name, m.id, m.lane, m.content, transaction_time() "
    "FROM unnest($1::text[], $2::bigint[], $3::text[]) "
    "WITH ORDINALITY AS m (id, lane, content, position) "
    "CROSS JOIN (SELECT group_name FROM @queue_group WHERE group_name <> '' UNION ALL "
    "SELECT '' WHERE NOT EXISTS (SELECT 1 FROM @queue_group WHERE group_name <> '')) AS g "
    "ORDER BY m.position, g.group_name ON CONFLICT DO NOTHING";
constexpr std::string_view append_sqlite =
    "WITH a AS MATERIALIZED (SELECT key, value FROM json_each($1)), "
    "b AS MATERIALIZED (SELECT key, value FROM json_each($2)), "
    "c AS MATERIALIZED (SELECT key, value FROM json_each($3)), "
    "g AS MATERIALIZED (SELECT group_name FROM @queue_group WHERE group_name <> '' UNION ALL "
    "SELECT '' WHERE NOT EXISTS (SELECT 1 FROM @queue_group WHERE group_name <> '')) "
    "INSERT INTO @queue_message (group_name, id, lane, content, published_at) "
    "SELECT g.group_name, a.value, b.value, c.value, transaction_time() "
    "FROM a JOIN b ON b.key = a.key JOIN c ON c.key = a.key CROSS JOIN g "
    "WHERE true ORDER BY a.key, g.group_name ON CONFLICT DO NOTHING";

constexpr std::string_view copy_both =
    "INSERT INTO @queue_message (group_name, id, lane, content, published_at) "
    "SELECT CAST($1 AS text), id, lane, content, published_at FROM @queue_message "
    "WHERE number IN (SELECT min(number) FROM @queue_message GROUP BY id) "
    "ORDER BY number ON CONFLICT DO NOTHING";

constexpr std::string_view claim_postgres =
    "WITH oldest AS MATERIALIZED (SELECT lane, min(number) AS number FROM @queue_message "
    "WHERE group_name = $1 AND number <> ALL ($4::bigint[]) GROUP BY lane), "
    "free AS MATERIALIZED (SELECT l.lane FROM @queue_lane l JOIN oldest o ON o.lane = l.lane "
    "WHERE l.group_name = $1 AND (l.claimed_until <= transaction_time() OR l.claim = $2) "
    "ORDER BY o.number LIMIT $5 FOR UPDATE OF l SKIP LOCKED) "
    "UPDATE @queue_lane AS c SET claim = $2, "
    "claimed_until = transaction_time() + $3::bigint * interval '1 microsecond' "
    "FROM free WHERE c.group_name = $1 AND c.lane = free.lane RETURNING c.lane";
constexpr std::string_view claim_sqlite =
    "WITH oldest AS MATERIALIZED (SELECT lane, min(number) AS number FROM @queue_message "
    "WHERE group_name = $1 AND number NOT IN (SELECT value FROM json_each($4)) GROUP BY lane), "
    "free AS MATERIALIZED (SELECT l.lane FROM @queue_lane l JOIN oldest o ON o.lane = l.lane "
    "WHERE l.group_name = $1 AND (l.claimed_until <= transaction_time() OR l.claim = $2) "
    "ORDER BY o.number LIMIT $5) "
    "UPDATE @queue_lane SET claim = $2, claimed_until = transaction_time() + $3 "
    "WHERE group_name = $1 AND lane IN (SELECT lane FROM free) RETURNING lane";

constexpr std::string_view read_postgres =
    "SELECT m.number, m.content FROM @queue_message m JOIN @queue_lane l "
    "ON l.group_name = m.group_name AND l.lane = m.lane "
    "WHERE m.group_name = $1 AND l.claim = $2 AND l.claimed_until > transaction_time() "
    "AND m.number <> ALL ($3::bigint[]) ORDER BY m.number LIMIT $4";
constexpr std::string_view read_sqlite =
    "SELECT m.number, m.content FROM @queue_message m JOIN @queue_lane l "
    "ON l.group_name = m.group_name AND l.lane = m.lane "
    "WHERE m.group_name = $1 AND l.claim = $2 AND l.claimed_until > transaction_time() "
    "AND m.number NOT IN (SELECT value FROM json_each($3)) ORDER BY m.number LIMIT $4";

// Skips what its own claimant is claiming again at this moment, so that the two cannot deadlock.
constexpr std::string_view renew_postgres =
    "WITH mine AS MATERIALIZED (SELECT group_name, lane FROM @queue_lane "
    "WHERE claim = ANY ($1::text[]) FOR UPDATE SKIP LOCKED) "
    "UPDATE @queue_lane AS c "
    "SET claimed_until = transaction_time() + $2::bigint * interval '1 microsecond' "
    "FROM mine WHERE c.group_name = mine.group_name AND c.lane = mine.lane";
constexpr std::string_view renew_sqlite =
    "UPDATE @queue_lane SET claimed_until = transaction_time() + $2 "
    "WHERE claim IN (SELECT value FROM json_each($1))";

}  // namespace

TableQueueSql::TableQueueSql(RoleTables tables)
    : maker_(tables),
      create(maker_.make("queue.create",
                         "INSERT INTO @queue_group (group_name) VALUES ('') ON CONFLICT DO NOTHING",
                         {})),
      lock(maker_.make("queue.lock",
                       "SELECT group_name FROM @queue_group WHERE group_name = '' FOR UPDATE",
                       "SELECT group_name FROM @queue_group WHERE group_name = ''")),
      fullest(maker_.make("queue.fullest",
                          "SELECT count(*) FROM @queue_message GROUP BY group_name "
                          "ORDER BY count(*) DESC LIMIT 1",
                          {})),
      find_ids(maker_.make("queue.find_ids",
                           "SELECT DISTINCT id FROM @queue_message WHERE id = ANY ($1::text[])",
                           "SELECT DISTINCT id FROM @queue_message "
                           "WHERE id IN (SELECT value FROM json_each($1))")),
      append(maker_.make("queue.append", append_postgres, append_sqlite)),
      add_group(maker_.make(
          "queue.add_group",
          "INSERT INTO @queue_group (group_name) VALUES ($1) ON CONFLICT DO NOTHING", {})),
      create_lanes(maker_.make(
          "queue.create_lanes",
          "INSERT INTO @queue_lane (group_name, lane, claim, claimed_until) "
          "SELECT CAST($1 AS text), lane, '', to_timestamp(0) FROM unnest($2::bigint[]) AS l "
          "(lane) "
          "ON CONFLICT DO NOTHING",
          "INSERT INTO @queue_lane (group_name, lane, claim, claimed_until) "
          "SELECT $1, value, '', 0 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING")),
      copy(maker_.make("queue.copy", copy_both, {})),
      remove_unread(maker_.make("queue.remove_unread",
                                "DELETE FROM @queue_message WHERE group_name = ''", {})),
      claim(maker_.make("queue.claim", claim_postgres, claim_sqlite)),
      read(maker_.make("queue.read", read_postgres, read_sqlite)),
      renew(maker_.make("queue.renew", renew_postgres, renew_sqlite)),
      release(maker_.make("queue.release",
                          "UPDATE @queue_lane SET claimed_until = to_timestamp(0) "
                          "WHERE group_name = $1 AND claim = $2 AND lane = ANY ($3::bigint[])",
                          "UPDATE @queue_lane SET claimed_until = 0 WHERE group_name = $1 "
                          "AND claim = $2 AND lane IN (SELECT value FROM json_each($3))")),
      abandon(maker_.make("queue.abandon",
                          "UPDATE @queue_lane SET claimed_until = to_timestamp(0) "
                          "WHERE claim = ANY ($1::text[])",
                          "UPDATE @queue_lane SET claimed_until = 0 "
                          "WHERE claim IN (SELECT value FROM json_each($1))")),
      remove(maker_.make("queue.remove",
                         "DELETE FROM @queue_message WHERE number = ANY ($1::bigint[])",
                         "DELETE FROM @queue_message "
                         "WHERE number IN (SELECT value FROM json_each($1))")),
      count(maker_.make("queue.count", "SELECT count(*) FROM @queue_message WHERE group_name = $1",
                        {})),
      find_group(maker_.make("queue.find_group",
                             "SELECT group_name FROM @queue_group WHERE group_name = $1", {})),
      groups(maker_.table("queue_group")),
      lanes(maker_.table("queue_lane")),
      messages(maker_.table("queue_message")) {}

std::vector<const Statement*> TableQueueSql::all() const {
    return {&create,       &lock,    &fullest,       &find_ids, &append,    &add_group,
            &create_lanes, &copy,    &remove_unread, &claim,    &read,      &renew,
            &release,      &abandon, &remove,        &count,    &find_group};
}

}  // namespace rushproof
