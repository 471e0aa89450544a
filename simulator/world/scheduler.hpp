// Virtual time on one thread: picks, by seed, which host does its next step, and moves the clock
// when nobody can do one.
#pragma once
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "core/base/time.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/world/machine_clock.hpp"
#include "simulator/world/tape.hpp"
#include "simulator/world/timer_queue.hpp"
#include "simulator/world/trace.hpp"

namespace rushproof::simulator {

class Host;
class Scheduler;

struct SchedulerOptions {
    std::uint64_t seed = 1;
    Schedule schedule = Schedule::random;
    std::int64_t depth = 3;                   // pct: one more than its preemptions
    std::int64_t expected_steps = 1'000'000;  // pct: the preemptions fall within these
    WallTime wall_at_start{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z
};

struct MachineOptions {
    Duration wall_offset{};  // of the wall clock, at the start
    std::int64_t drift_ppm = 0;
    Duration step_cost = std::chrono::microseconds(2);  // CPU time of one step; above zero
};

// Where one process at a time runs: has the name, the clocks and the CPU, which survive a restart.
class Machine {
public:
    Machine(Scheduler& scheduler, std::uint32_t index, std::string name, MachineOptions options);
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    const std::string& name() const { return name_; }
    const TraceText& trace_name() const { return trace_name_; }
    std::uint32_t index() const { return index_; }
    Scheduler& scheduler() const { return scheduler_; }
    const MachineClock& clock() const { return clock_; }
    // The process that lives here now; null when there is none.
    Host* host() const { return host_; }

    // Both clocks run faster by `ppm` from now on; pending timers follow.
    void set_drift(std::int64_t ppm);
    // Steps the wall clock; the monotonic one does not notice.
    void step_wall_clock(Duration by) { clock_.step(by); }
    // Each step costs `factor` times as much CPU time as usual; at least 1.
    void set_slowness(std::int64_t factor);

private:
    friend class Host;
    friend class Scheduler;

    Scheduler& scheduler_;
    std::uint32_t index_;
    std::string name_;
    TraceText trace_name_;
    MachineClock clock_;
    Duration usual_step_cost_;
    Duration step_cost_;
    Host* host_ = nullptr;
    std::uint32_t incarnations_ = 0;
};

// What a run came to: the asked time; idle: nothing left to do; stuck: nothing can ever happen any
// more although somebody waits (see Scheduler::waiting()); step_limit: as many steps as allowed.
enum class RunEnd : std::uint8_t { reached, idle, stuck, step_limit };

class Scheduler {
public:
    // `trace` and `tape` outlive the scheduler.
    Scheduler(SchedulerOptions options, Trace& trace, Tape& tape);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Virtual time since the start of the run.
    Duration now() const { return now_; }
    std::uint64_t steps() const { return steps_; }
    std::uint64_t seed() const { return options_.seed; }
    WallTime wall_at_start() const { return options_.wall_at_start; }
    Trace& trace() { return trace_; }
    Tape& tape() { return tape_; }

    Machine& add_machine(std::string name, MachineOptions options = {});
    // Null when there is none of that name.
    Machine* find(std::string_view name);
    std::deque<Machine>& machines() { return machines_; }

    // Runs `function` between steps at virtual time `at` (now, if that has passed), before the
    // steps of that time; equal times in the order of asking.
    TimerId at(Duration at, std::function<void()> function);
    void cancel(TimerId event) { events_.remove(event); }
    // Runs `function` before the next step: the only way for a step to crash a host.
    void between_steps(std::function<void()> function);
    // Whose step is under way; null between steps.
    Host* running() const { return running_; }

    // Called with each host that crashes, dead already but not yet purged.
    void on_crash(std::function<void(Host&)> function);

    // Runs everything up to and including `end`; afterwards now() is `end`, unless steps() came to
    // `last_step` before.  An exception that escapes from a coroutine or an event comes out here.
    RunEnd run_until(Duration end,
                     std::uint64_t last_step = std::numeric_limits<std::uint64_t>::max());
    // Who waits for what, one line each.
    std::vector<std::string> waiting() const;

    // The same text, kept as long as the scheduler lives.  For the few names that come again and
    // again.
    TraceText intern(std::string_view text);
    // Of a new task, for schedule `pct`.
    std::uint64_t task_priority(std::uint32_t machine, std::uint64_t task) const;

private:
    friend class Host;

    struct Survey {
        std::size_t jobs = 0;  // of the hosts that can run
        Duration wake = Duration::max();
    };

    bool events_are_due() const {
        return !between_steps_.empty() || events_.next() <= now_.count();
    }
    void run_due_events();
    // Fires due timers, finds who can run, and when something happens next.
    Survey look_around();
    void step(std::size_t jobs);
    void run_job(Host& host, std::size_t index);
    std::size_t pick(std::size_t jobs);
    std::size_t highest_priority();
    void born(Host& host);
    void crashed(Host& host);

    SchedulerOptions options_;
    Trace& trace_;
    Tape& tape_;
    Duration now_{};
    std::uint64_t steps_ = 0;
    Host* running_ = nullptr;
    std::deque<Machine> machines_;
    std::vector<Host*> hosts_;     // alive, in order of birth
    std::vector<Host*> runnable_;  // of the present moment
    TimerQueue<std::function<void()>> events_;
    std::vector<std::function<void()>> between_steps_;
    std::vector<std::function<void(Host&)>> crash_listeners_;
    std::map<std::uint64_t, std::string> texts_;  // by hash
    std::uint64_t pick_key_;
    Duration picks_at_{-1};
    RandomStream picks_{0};                   // of the present virtual time
    std::vector<std::uint64_t> preemptions_;  // pct: step numbers, latest first
};

}  // namespace rushproof::simulator
