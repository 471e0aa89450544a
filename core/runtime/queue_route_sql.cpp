#include "core/runtime/queue_route_sql.hpp"

namespace rushproof {

QueueRouteSql::QueueRouteSql(RoleTables tables)
    : maker_(tables),
      create(maker_.make("queue_route.create",
                         "INSERT INTO @queue_route (one, epoch, provider, previous, phase, "
                         "begun_at, deadline_at) VALUES (1, 1, $1, '', 'steady', "
                         "transaction_time(), transaction_time()) ON CONFLICT DO NOTHING",
                         "")),
      read(maker_.make("queue_route.read",
                       "SELECT epoch, provider, previous, phase, "
                       "(extract(epoch FROM transaction_time() - begun_at) * 1000000)::bigint, "
                       "(extract(epoch FROM deadline_at - transaction_time()) * 1000000)::bigint "
                       "FROM @queue_route WHERE one = 1",
                       "SELECT epoch, provider, previous, phase, transaction_time() - begun_at, "
                       "deadline_at - transaction_time() FROM @queue_route WHERE one = 1")),
      begin(maker_.make("queue_route.begin",
                        "UPDATE @queue_route SET epoch = epoch + 1, previous = provider, "
                        "provider = $2, phase = 'opening', begun_at = transaction_time(), "
                        "deadline_at = transaction_time() + $3::bigint * interval '1 microsecond' "
                        "WHERE one = 1 AND epoch = $1",
                        "UPDATE @queue_route SET epoch = epoch + 1, previous = provider, "
                        "provider = $2, phase = 'opening', begun_at = transaction_time(), "
                        "deadline_at = transaction_time() + $3 WHERE one = 1 AND epoch = $1")),
      advance(maker_.make("queue_route.advance",
                          "UPDATE @queue_route SET epoch = epoch + 1, phase = $2 "
                          "WHERE one = 1 AND epoch = $1",
                          "")),
      settle(maker_.make("queue_route.settle",
                         "UPDATE @queue_route SET epoch = epoch + 1, phase = 'steady', "
                         "provider = $2, previous = '' WHERE one = 1 AND epoch = $1",
                         "")),
      record(maker_.make(
          "queue_route.record",
          "INSERT INTO @queue_switch (epoch, from_provider, to_provider, begun_at, ended_at, "
          "carried, outcome, reason) SELECT $1::bigint, $2::text, $3::text, begun_at, "
          "transaction_time(), $4::bigint, $5::text, $6::text "
          "FROM @queue_route WHERE one = 1 AND epoch = $1 ON CONFLICT DO NOTHING",
          "INSERT INTO @queue_switch (epoch, from_provider, to_provider, begun_at, ended_at, "
          "carried, outcome, reason) SELECT $1, $2, $3, begun_at, transaction_time(), $4, $5, $6 "
          "FROM @queue_route WHERE one = 1 AND epoch = $1 ON CONFLICT DO NOTHING")),
      switches(maker_.make(
          "queue_route.switches",
          "SELECT from_provider, to_provider, begun_at, "
          "(extract(epoch FROM ended_at - begun_at) * 1000000)::bigint, carried, outcome, reason "
          "FROM @queue_switch ORDER BY epoch DESC LIMIT $1",
          "SELECT from_provider, to_provider, begun_at, ended_at - begun_at, carried, outcome, "
          "reason FROM @queue_switch ORDER BY epoch DESC LIMIT $1")),
      renew(maker_.make(
          "queue_route.renew",
          "INSERT INTO @queue_member (id, role, epoch, drained, carried, until_at) "
          "VALUES ($1, $2, $3, $4, $5, "
          "transaction_time() + $6::bigint * interval '1 microsecond') "
          "ON CONFLICT (id) DO UPDATE SET role = excluded.role, epoch = excluded.epoch, "
          "drained = excluded.drained, carried = excluded.carried, until_at = excluded.until_at",
          "INSERT INTO @queue_member (id, role, epoch, drained, carried, until_at) "
          "VALUES ($1, $2, $3, $4, $5, transaction_time() + $6) "
          "ON CONFLICT (id) DO UPDATE SET role = excluded.role, epoch = excluded.epoch, "
          "drained = excluded.drained, carried = excluded.carried, until_at = excluded.until_at")),
      members(maker_.make("queue_route.members",
                          "SELECT id, role, epoch, drained, carried FROM @queue_member "
                          "WHERE until_at > transaction_time() ORDER BY id",
                          "")),
      leave(maker_.make("queue_route.leave", "DELETE FROM @queue_member WHERE id = $1", "")),
      forget(maker_.make(
          "queue_route.forget",
          "DELETE FROM @queue_member WHERE until_at < transaction_time() - $1::bigint * interval "
          "'1 microsecond'",
          "DELETE FROM @queue_member WHERE until_at < transaction_time() - $1")),
      route_table(maker_.table("queue_route")),
      member_table(maker_.table("queue_member")),
      switch_table(maker_.table("queue_switch")) {}

std::vector<const Statement*> QueueRouteSql::all() const {
    return {&create,   &read,  &begin,   &advance, &settle, &record,
            &switches, &renew, &members, &leave,   &forget};
}

}  // namespace rushproof
