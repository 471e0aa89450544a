// Changes the provider of messages while they flow (queue_route.hpp says in which steps).
//
// The route is one row of a database.  Publishers and consumers read it under a short lease and act
// on what they read no longer than that; they tell in turn how far they have come.  Whoever likes
// may take the next step, at any time and several at once: a step is made only from the route that
// it was decided on.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/queue_route.hpp"
#include "core/runtime/queue_route_sql.hpp"

namespace rushproof {

// A switch that has ended.
struct QueueSwitch {
    std::string from;
    std::string to;
    WallTime begun;
    Duration length{};
    std::int64_t carried = 0;  // messages that were consumed from `from` while it was drained
    std::string outcome;       // "done" or "rolled-back"
    std::string reason;        // of a roll-back
};

class QueueSwitchboard {
public:
    struct Options {
        // A member that does not renew for so long is taken for gone.
        Duration lease = std::chrono::seconds(3);
    };
    // Reaches for a provider before the first message goes there.
    using Open = std::function<Task<Result<void>>(Context, std::string provider)>;

    // `environment` and `statements` outlive it.
    QueueSwitchboard(Environment& environment, const QueueRouteSql& statements, Options options,
                     Open open);

    // Once, before all else: `provider` is used unless the database knows another one already.
    Task<Result<void>> prepare(Context context, std::string provider);

    Task<Result<QueueRoute>> read(Context context);
    // The member is known first, then the route is read: whoever changed it meanwhile and does not
    // see the member is seen by it.
    Task<Result<QueueRoute>> renew(Context context, RouteMember member);
    Task<Result<void>> leave(Context context, std::string member);

    // Begins to go over to `to`.  It is given up and rolled back when it is not done `within` that
    // time.  Errors: permanent "switch-under-way", "already-there".
    Task<Result<QueueRoute>> begin(Context context, std::string to, Duration within);
    // Takes the next step if it can be taken, and answers the route as it is then.
    Task<Result<QueueRoute>> advance(Context context);

    // Those that ended, the latest first.
    Task<Result<std::vector<QueueSwitch>>> switches(Context context, std::int64_t limit);
    // Members of long ago; how many.
    Task<Result<std::size_t>> forget(Context context);

private:
    struct Progress {
        bool all_there = true;  // every member acts on this route
        bool drained = true;    // every consumer found the provider empty, and there is one
        std::int64_t carried = 0;
    };
    Task<Result<Progress>> progress(Context context, std::int64_t epoch);
    Task<Result<QueueRoute>> try_to_open(Context context, QueueRoute route);
    Task<Result<QueueRoute>> step(Context context, QueueRoute route, RoutePhase next);
    Task<Result<QueueRoute>> finish(Context context, QueueRoute route, std::int64_t carried);
    Task<Result<QueueRoute>> give_up(Context context, QueueRoute route, std::string reason);
    Task<Result<QueueRoute>> end(Context context, QueueRoute route, std::string provider,
                                 Row record);
    Task<Result<std::int64_t>> commit(Context context, Call call);

    Environment& environment_;
    const QueueRouteSql& statements_;
    Options options_;
    Open open_;
};

}  // namespace rushproof
