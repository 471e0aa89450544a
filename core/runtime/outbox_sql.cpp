#include "core/runtime/outbox_sql.hpp"

namespace rushproof {

OutboxSql::OutboxSql(RoleTables tables)
    : maker_(tables),
      append(maker_.make(
          "outbox.append",
          "INSERT INTO @outbox (id, lane, aggregate, kind, body, created_at) "
          "SELECT id, lane, aggregate, kind, body, transaction_time() "
          "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[]) "
          "WITH ORDINALITY AS e (id, lane, aggregate, kind, body, position) ORDER BY position",
          "INSERT INTO @outbox (id, lane, aggregate, kind, body, created_at) "
          "SELECT value, $2 ->> key, $3 ->> key, $4 ->> key, $5 ->> key, transaction_time() "
          "FROM json_each($1) ORDER BY key")),
      create_lanes(
          maker_.make("outbox.create_lanes",
                      "INSERT INTO @outbox_lane (lane, claim, claimed_until) "
                      "SELECT lane, '', to_timestamp(0) FROM unnest($1::bigint[]) AS l (lane) "
                      "ON CONFLICT DO NOTHING",
                      "INSERT INTO @outbox_lane (lane, claim, claimed_until) "
                      "SELECT value, '', 0 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING")),
      backlog(maker_.make("outbox.backlog",
                          "SELECT count(*) FILTER (WHERE dead = 0), count(*) FILTER (WHERE dead = "
                          "1) FROM (SELECT dead FROM @outbox LIMIT 100000) AS e",
                          "SELECT count(*) FILTER (WHERE dead = 0), count(*) FILTER (WHERE dead = "
                          "1) FROM (SELECT dead FROM @outbox LIMIT 100000)")),
      ends(maker_.make("outbox.ends",
                       "SELECT coalesce((SELECT number FROM @outbox WHERE dead = 0 "
                       "ORDER BY number LIMIT 1), 0), "
                       "coalesce((SELECT number FROM @outbox ORDER BY number DESC LIMIT 1), 0)",
                       "")),
      waiting(
          maker_.make("outbox.waiting",
                      "SELECT number FROM @outbox WHERE number = ANY($1::bigint[]) AND dead = 0",
                      "SELECT number FROM @outbox "
                      "WHERE number IN (SELECT value FROM json_each($1)) AND dead = 0")),
      claim_lane(
          maker_.make("outbox.claim_lane",
                      "UPDATE @outbox_lane "
                      "SET claim = $1, claimed_until = transaction_time() + $2::bigint * interval "
                      "'1 microsecond' "
                      "WHERE lane = (SELECT l.lane FROM @outbox_lane l "
                      "WHERE l.claimed_until <= transaction_time() "
                      "AND EXISTS (SELECT 1 FROM @outbox e WHERE e.lane = l.lane AND e.dead = 0) "
                      "ORDER BY l.lane < $3, l.lane LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING lane",
                      "UPDATE @outbox_lane SET claim = $1, claimed_until = transaction_time() + $2 "
                      "WHERE lane = (SELECT l.lane FROM @outbox_lane l WHERE l.claimed_until <= "
                      "transaction_time() "
                      "AND EXISTS (SELECT 1 FROM @outbox e WHERE e.lane = l.lane AND e.dead = 0) "
                      "ORDER BY l.lane < $3, l.lane LIMIT 1) RETURNING lane")),
      read_lane(
          maker_.make("outbox.read_lane",
                      "SELECT number, id, aggregate, kind, body, "
                      "(extract(epoch FROM transaction_time() - created_at) * 1000000)::bigint "
                      "FROM @outbox WHERE lane = $1 AND dead = 0 ORDER BY number LIMIT $2",
                      "SELECT number, id, aggregate, kind, body, transaction_time() - created_at "
                      "FROM @outbox WHERE lane = $1 AND dead = 0 ORDER BY number LIMIT $2")),
      remove(maker_.make("outbox.remove", "DELETE FROM @outbox WHERE number = ANY($1::bigint[])",
                         "DELETE FROM @outbox WHERE number IN (SELECT value FROM json_each($1))")),
      refuse(maker_.make("outbox.refuse",
                         "UPDATE @outbox SET attempts = attempts + 1, reason = $2, "
                         "dead = CASE WHEN attempts + 1 >= $3 THEN 1 ELSE 0 END "
                         "WHERE number = $1 RETURNING dead",
                         "")),
      release_lane(
          maker_.make("outbox.release_lane",
                      "UPDATE @outbox_lane SET claimed_until = to_timestamp(0) "
                      "WHERE lane = $1 AND claim = $2",
                      "UPDATE @outbox_lane SET claimed_until = 0 WHERE lane = $1 AND claim = $2")),
      events(maker_.table("outbox")),
      lanes(maker_.table("outbox_lane")) {}

std::vector<const Statement*> OutboxSql::all() const {
    return {&append,     &create_lanes, &backlog, &ends,   &waiting,
            &claim_lane, &read_lane,    &remove,  &refuse, &release_lane};
}

OutboxStatements OutboxSql::for_relay() const {
    return {create_lanes, backlog, ends,   waiting,     claim_lane,
            read_lane,    remove,  refuse, release_lane};
}

}  // namespace rushproof
