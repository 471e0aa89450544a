#include "simulator/load/operator.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "simulator/load/pipeline_client.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration attempt_timeout = std::chrono::seconds(2);
constexpr Duration look_again = std::chrono::milliseconds(20);
// Of four parts of the time that is left, the last is for taking it back.
constexpr int forward_parts = 3;
constexpr int all_parts = 4;
constexpr std::string_view settled_phase = "steady";

class Operator {
public:
    Operator(Clock& clock, HttpClient& http, SwitchTask task)
        : clock_(clock), client_(http), task_(std::move(task)) {
        change_.id = task_.id;
        change_.to = task_.to;
        change_.began = now();
    }

    Task<QueueSwitch> run() {
        bool goes_on = co_await look_where_it_is();
        if (goes_on) { goes_on = co_await ask(); }
        if (goes_on) { goes_on = co_await wait_for_the_end(); }
        if (goes_on) { change_.error.clear(); }
        change_.ended = now();
        co_return change_;
    }

private:
    std::int64_t now() const { return (clock_.monotonic() - task_.start).count(); }
    Context context() const {
        return Context(clock_.monotonic() + attempt_timeout).until(task_.deadline);
    }
    // False: there is no time left.
    Task<bool> pause() {
        if (clock_.monotonic() + look_again >= task_.deadline) { co_return false; }
        co_await sleep_for(clock_, look_again);
        co_return true;
    }
    void note(const Error& error) {
        change_.error = error.message().empty() ? error.code() : error.message();
    }

    Task<bool> look_where_it_is() {
        while (true) {
            const auto queue = co_await client_.queue(context());
            if (queue) {
                change_.from = queue->provider;
                change_.epoch = queue->epoch;
                co_return true;
            }
            note(queue.error());
            if (!co_await pause()) { co_return false; }
        }
    }

    // Repeats it until somebody may have heard: asking twice for the same queue is no harm.
    Task<bool> ask() {
        while (true) {
            const Duration left = task_.deadline - clock_.monotonic();
            const auto asked = co_await client_.switch_queue(context(), task_.to,
                                                             left * forward_parts / all_parts);
            if (asked || asked.error().kind() == ErrorKind::unknown_outcome) { co_return true; }
            note(asked.error());
            if (asked.error().kind() == ErrorKind::permanent) {
                change_.outcome = EventType::fail;
                co_return false;
            }
            if (!co_await pause()) { co_return false; }
        }
    }

    // True when it went well.
    Task<bool> wait_for_the_end() {
        while (true) {
            const auto queue = co_await client_.queue(context());
            if (!queue) { note(queue.error()); }
            const bool settled =
                queue && queue->epoch > change_.epoch && queue->phase == settled_phase;
            if (settled && queue->provider == task_.to) {
                change_.outcome = EventType::ok;
                change_.carried_over = queue->carried_over;
                co_return true;
            }
            if (settled) {
                change_.outcome = EventType::fail;
                change_.error = queue->error;
                co_return false;
            }
            if (!co_await pause()) { co_return false; }
        }
    }

    Clock& clock_;
    PipelineClient client_;
    SwitchTask task_;
    QueueSwitch change_;
};

}  // namespace

Task<QueueSwitch> switch_queue(Clock& clock, HttpClient& http, SwitchTask task) {
    Operator someone(clock, http, std::move(task));
    co_return co_await someone.run();
}

std::string evidence_of(const QueueSwitch& change) {
    if (change.outcome == EventType::info) { return {}; }
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f s",
                  static_cast<double>(change.ended - change.began) / 1e9);
    if (change.outcome == EventType::fail) {
        return "stayed on " + change.from + " after " + seconds + ": " + change.error;
    }
    return "switched from " + change.from + " in " + seconds + ", " +
           std::to_string(change.carried_over) + " messages carried over";
}

}  // namespace rushproof::simulator
