// Events that are written in the transaction of what they tell about, and delivered afterwards: at
// least once, in order within an aggregate, by any number of relays at once.
//
// Events lie in lanes, each aggregate in one.  A relay claims a lane that has events, for a limited
// time, skipping what others are claiming; reads the lane's oldest events; delivers them outside of
// any transaction; then removes them and gives the lane back.  A relay that dies is replaced when
// its claim has run out.  Two that believe to have the same lane deliver the same events, each in
// order: whoever receives them knows an event again by its id.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"

namespace rushproof {

struct OutboxEvent {
    std::int64_t number = 0;  // grows within an aggregate
    std::string id;           // the same in every delivery
    std::string aggregate;
    std::string kind;
    std::string body;
};

inline constexpr std::int64_t outbox_lanes = 4;
// Of an aggregate, for ever.
std::int64_t outbox_lane(const std::string& aggregate);

// Events to be written, in the order in which they are added, by one call of the statement that
// takes $1 ids, $2 lanes, $3 aggregates, $4 kinds, $5 bodies.
class OutboxAppend {
public:
    explicit OutboxAppend(Random& random) : random_(random) {}
    void add(const std::string& aggregate, std::string_view kind, std::string body);
    Call call(const Statement& append) &&;

private:
    Random& random_;
    std::vector<std::string> ids_;
    std::vector<std::int64_t> lanes_;
    std::vector<std::string> aggregates_;
    std::vector<std::string> kinds_;
    std::vector<std::string> bodies_;
};

// What a role's outbox asks its database.
struct OutboxStatements {
    const Statement& create_lanes;  // $1 lanes; those that exist stay
    const Statement& backlog;       // -> number of events, no more than some bound
    const Statement& claim_lane;    // $1 claim, $2 its length in us, $3 where to begin -> lane
    const Statement&
        read_lane;            // $1 lane, $2 limit -> number, id, aggregate, kind, body, age in us
    const Statement& remove;  // $1 numbers
    const Statement& release_lane;  // $1 lane, $2 claim
};

class OutboxRelay {
public:
    // Takes the events of one lane, in order; ok means that they need not come again.
    using Deliver = std::function<Task<Result<void>>(Context, std::vector<OutboxEvent>)>;

    // `environment` outlives the relay.  Metrics: <role>_outbox_backlog, <role>_outbox_seconds,
    // <role>_failed_deliveries_total.
    OutboxRelay(Environment& environment, const OutboxStatements& statements, std::string_view role,
                Deliver deliver);

    // Once, before the first delivery; repeating it is harmless.
    Task<Result<void>> prepare(Context context);

    // Delivers some events of one lane; returns how many.  One call at a time.  A claim lasts as
    // long as the context's deadline is away, and a margin.
    Task<Result<std::size_t>> deliver_some(Context context);

    using DeliverSome = std::function<Task<Result<std::size_t>>(Context)>;
    // Calls `some`, which is deliver_some or stands in for it, until nothing is left, and again
    // every `interval`; each call has `timeout`.  Ends when it is cancelled.
    Task<void> run(Duration interval, Duration timeout, DeliverSome some);

private:
    Task<void> deliver_all(Duration timeout, const DeliverSome& some);

    struct Claimed {
        std::int64_t lane;
        std::string claim;
        std::vector<OutboxEvent> events;
    };
    Task<Result<std::optional<Claimed>>> claim_lane(Context context);

    Environment& environment_;
    OutboxStatements statements_;
    Deliver deliver_;
    Gauge& backlog_;
    Distribution& age_;
    Counter& failed_;
    std::int64_t begin_at_ = 0;
};

}  // namespace rushproof
