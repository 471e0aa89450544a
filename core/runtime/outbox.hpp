// Events that are written in the transaction of what they tell about, and delivered afterwards: at
// least once, in order within an aggregate, by any number of relays at once.
//
// Events lie in lanes, each aggregate in one.  A relay claims a lane that has events, for a limited
// time, skipping what others are claiming; reads the lane's oldest events; delivers them outside of
// any transaction; then removes them and gives the lane back.  A relay that dies is replaced when
// its claim has run out.  Two that believe to have the same lane deliver the same events, each in
// order: whoever receives them knows an event again by its id.
//
// An event that is refused for good is tried again a few times, while the later ones of its
// aggregate wait; then it is dead: it stays in its table with the reason, and the others go on.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/environment.hpp"

namespace rushproof {

struct OutboxEvent {
    std::int64_t number = 0;  // grows within an aggregate
    std::string id;           // the same in every delivery
    std::string aggregate;
    std::string kind;
    std::string body;
    Duration age{};  // since its transaction, when it was read
};

inline constexpr std::int64_t outbox_lanes = 4;
// An event that was refused so often is dead.
inline constexpr std::int64_t outbox_attempts_max = 5;
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
    const Statement& backlog;       // -> events that wait, and dead ones; up to some bound
    const Statement& ends;        // -> first number that waits, and last of all; 0 if there is none
    const Statement& waiting;     // $1 numbers -> those that wait
    const Statement& claim_lane;  // $1 claim, $2 its length in us, $3 where to begin -> lane
    const Statement&
        read_lane;            // $1 lane, $2 limit -> number, id, aggregate, kind, body, age in us
    const Statement& remove;  // $1 numbers
    const Statement& refuse;  // $1 number, $2 reason, $3 attempts that make it dead
    const Statement& release_lane;  // $1 lane, $2 claim
};

// What became of events that were to be delivered.  Those in neither list come again.  Of an
// aggregate, an event is delivered only after all before it.
struct Deliveries {
    struct Refusal {
        std::int64_t number;
        std::string reason;
    };
    std::vector<std::int64_t> done;  // by number
    std::vector<Refusal> refused;    // for good
    std::optional<Error> error;      // why others were not delivered
};
// Takes events, in order.
using DeliverEvents = std::function<Task<Deliveries>(Context, std::vector<OutboxEvent>)>;

// By one that takes all of them, or none.
using TakeEvents = std::function<Task<Result<void>>(Context, std::vector<OutboxEvent>)>;
DeliverEvents all_or_none(TakeEvents take);

class OutboxRelay {
public:
    // `environment` outlives the relay.  Metrics: <role>_outbox_backlog, <role>_outbox_dead,
    // <role>_outbox_reads_log, <role>_outbox_seconds, <role>_failed_deliveries_total,
    // <role>_dead_events_total.
    OutboxRelay(Environment& environment, const OutboxStatements& statements, std::string_view role,
                DeliverEvents deliver);

    // Once, before the first delivery; repeating it is harmless.
    Task<Result<void>> prepare(Context context);

    // Takes some events of one lane and delivers them; returns how many it took.  Error: not all
    // were delivered.  One call at a time.  A claim lasts as long as the context's deadline is
    // away, and a margin.
    Task<Result<std::size_t>> deliver_some(Context context);

    using DeliverSome = std::function<Task<Result<std::size_t>>(Context)>;
    // Calls `some`, which is deliver_some or stands in for it, until nothing is left, and again
    // every `interval`, or less often while it fails; each call has `timeout`.  Ends when it is
    // cancelled.
    Task<void> run(Duration interval, Duration timeout, DeliverSome some);

    // The same for events that the database's log tells of, as they come.  One relay at a time
    // reads the log; the others wait, and one of them goes on when it is gone.  What the log does
    // not tell, because it was written before the log was kept, or because an earlier try failed,
    // is looked for in the table first.
    Task<void> run_by_log(Duration interval, Duration timeout);

private:
    using Round = std::function<Task<Result<void>>()>;
    Task<void> repeat(Duration interval, Duration timeout, Round round);
    Task<Result<void>> deliver_all(Duration timeout, const DeliverSome& some);
    void show(const Result<void>& delivered, int failures);
    void show_backlog(const Row& counts);

    Task<Result<void>> follow_log(Duration interval, Duration timeout);
    Task<Result<void>> deliver_what_waits(Duration timeout);
    Task<Result<std::pair<std::int64_t, std::int64_t>>> ends(Context context);
    Task<Result<std::vector<OutboxEvent>>> waiting_of(Context context, std::vector<LoggedRow> rows);

    struct Claimed {
        std::int64_t lane;
        std::string claim;
        std::vector<OutboxEvent> events;
    };
    Task<Result<std::optional<Claimed>>> claim_lane(Context context);
    // Delivers the events, and writes down what became of them, together with the calls.
    Task<Result<void>> deliver(Context context, std::vector<OutboxEvent> events,
                               std::vector<Call> last);
    Task<Result<void>> settle(Context context, Deliveries deliveries, std::vector<Call> last);

    Environment& environment_;
    OutboxStatements statements_;
    std::string role_;
    DeliverEvents deliver_;
    Gauge& backlog_;
    Gauge& dead_;
    Gauge& reads_log_;
    Distribution& age_;
    Counter& failed_;
    Counter& died_;
    std::int64_t begin_at_ = 0;
};

}  // namespace rushproof
