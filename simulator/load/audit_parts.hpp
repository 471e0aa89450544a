// What the parts of the audit share.
#pragma once
#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/context.hpp"
#include "simulator/record/history.hpp"

namespace rushproof::simulator {

inline constexpr Duration attempt_timeout = std::chrono::seconds(2);
inline constexpr Duration pause_first = std::chrono::milliseconds(20);
inline constexpr Duration pause_longest = std::chrono::seconds(1);

// Repeats a call that may be repeated, until it is answered, is refused for good, or `deadline` has
// passed.  `call` makes one attempt and lives until this returns.
template <class T>
Task<Result<T>> persist(Clock& clock, MonotonicTime deadline,
                        const std::function<Task<Result<T>>(Context)>& call) {
    Duration pause = pause_first;
    while (true) {
        Context context = Context(clock.monotonic() + attempt_timeout).until(deadline);
        context.position = latest_position;  // what a replica lacks is not gone
        Result<T> result = co_await call(context);
        const bool over = clock.monotonic() + pause >= deadline;
        if (result || result.error().kind() == ErrorKind::permanent || over) { co_return result; }
        co_await sleep_for(clock, pause);
        pause = std::min(2 * pause, pause_longest);
    }
}

// Adds events, in order of time; of equal times, after those that are there.
void insert_by_time(History& history, const std::vector<Event>& events);

}  // namespace rushproof::simulator
