#include "simulator/world/scheduler.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/assert.hpp"
#include "simulator/world/host.hpp"

namespace rushproof::simulator {

namespace {

// Tasks start above every priority that a preemption gives them.
constexpr std::uint64_t initial_priority = std::uint64_t{1} << 63;

// Steps at which schedule `pct` lowers the running task, latest first.
std::vector<std::uint64_t> draw_preemptions(const SchedulerOptions& options) {
    std::vector<std::uint64_t> steps;
    if (options.schedule != Schedule::pct) { return steps; }
    RandomStream stream = keyed_stream(options.seed, "preemptions");
    for (std::int64_t i = 1; i < options.depth; ++i) {
        steps.push_back(stream.below(static_cast<std::uint64_t>(options.expected_steps)));
    }
    std::sort(steps.rbegin(), steps.rend());
    return steps;
}

}  // namespace

Machine::Machine(Scheduler& scheduler, std::uint32_t index, std::string name,
                 MachineOptions options)
    : scheduler_(scheduler),
      index_(index),
      name_(std::move(name)),
      trace_name_(name_),
      clock_(scheduler.wall_at_start(), options.wall_offset, options.drift_ppm),
      usual_step_cost_(options.step_cost),
      step_cost_(options.step_cost) {
    RP_ASSERT(step_cost_ > Duration::zero());
}

void Machine::set_drift(std::int64_t ppm) {
    clock_.set_drift(scheduler_.now(), ppm);
    if (host_ != nullptr) { host_->plan_wake(); }
}

void Machine::set_slowness(std::int64_t factor) {
    RP_ASSERT(factor >= 1);
    step_cost_ = usual_step_cost_ * factor;
}

Scheduler::Scheduler(SchedulerOptions options, Trace& trace, Tape& tape)
    : options_(options),
      trace_(trace),
      tape_(tape),
      pick_key_(keyed_stream(options.seed, "schedule").next()),
      preemptions_(draw_preemptions(options)) {}

Machine& Scheduler::add_machine(std::string name, MachineOptions options) {
    RP_ASSERT(find(name) == nullptr);
    return machines_.emplace_back(*this, static_cast<std::uint32_t>(machines_.size()),
                                  std::move(name), options);
}

Machine* Scheduler::find(std::string_view name) {
    for (Machine& machine : machines_) {
        if (machine.name() == name) { return &machine; }
    }
    return nullptr;
}

TimerId Scheduler::at(Duration at, std::function<void()> function) {
    return events_.add(std::max(at, now_).count(), std::move(function));
}

void Scheduler::between_steps(std::function<void()> function) {
    between_steps_.push_back(std::move(function));
}

void Scheduler::on_crash(std::function<void(Host&)> function) {
    crash_listeners_.push_back(std::move(function));
}

void Scheduler::born(Host& host) { hosts_.push_back(&host); }

void Scheduler::crashed(Host& host) {
    hosts_.erase(std::find(hosts_.begin(), hosts_.end(), &host));
    for (const auto& listener : crash_listeners_) { listener(host); }
}

RunEnd Scheduler::run_until(Duration end, std::uint64_t last_step) {
    RP_ASSERT(end >= now_);
    for (;;) {
        if (events_are_due()) { run_due_events(); }
        const Survey survey = look_around();
        if (survey.jobs > 0) {
            if (steps_ >= last_step) { return RunEnd::step_limit; }
            step(survey.jobs);
            continue;
        }
        const Duration next = std::min(survey.wake, Duration(events_.next()));
        if (next > end || next == Duration::max()) {
            now_ = end;
            if (next != Duration::max()) { return RunEnd::reached; }
            return waiting().empty() ? RunEnd::idle : RunEnd::stuck;
        }
        now_ = next;
    }
}

void Scheduler::run_due_events() {
    while (events_are_due()) {
        if (between_steps_.empty()) {
            events_.pop()();
            continue;
        }
        const auto functions = std::exchange(between_steps_, {});
        for (const auto& function : functions) { function(); }
    }
}

Scheduler::Survey Scheduler::look_around() {
    Survey survey;
    runnable_.clear();
    for (Host* host : hosts_) {
        if (host->next_ <= now_ && host->wake_ <= now_) { host->fire_due_timers(); }
        if (host->next_ <= now_) {
            survey.jobs += host->ready_.size();
            runnable_.push_back(host);
        } else {
            survey.wake = std::min(survey.wake, host->next_);
        }
    }
    return survey;
}

void Scheduler::step(std::size_t jobs) {
    std::size_t index = jobs == 1 ? 0 : pick(jobs);
    auto host = runnable_.begin();
    for (; index >= (*host)->ready_.size(); ++host) { index -= (*host)->ready_.size(); }
    run_job(**host, index);
}

void Scheduler::run_job(Host& host, std::size_t index) {
    std::unique_ptr<Job> job = host.ready_.take(index);
    const TaskIdentity& task = job->task();
    trace_.add(now_.count(), host.machine_.trace_name(), task.name, task.id, 0);
    host.busy_until_ = now_ + host.machine_.step_cost_;
    host.plan_next();
    ++steps_;

    struct Running {
        Running(Host*& running, Host* stepping) : host(running) { host = stepping; }
        ~Running() { host = nullptr; }
        Host*& host;
    } running(running_, &host);
    job->run();
    job.reset();
}

std::size_t Scheduler::pick(std::size_t jobs) {
    std::size_t drawn = 0;
    if (options_.schedule == Schedule::random) {
        // Keyed by time: a difference elsewhere in the run does not shift the picks that follow.
        if (picks_at_ != now_) {
            picks_at_ = now_;
            picks_ = RandomStream(combine64(pick_key_, static_cast<std::uint64_t>(now_.count())));
        }
        drawn = picks_.below(jobs);
    } else if (options_.schedule == Schedule::pct) {
        drawn = highest_priority();
    }
    const std::int64_t chosen =
        tape_.choose(now_, "schedule", jobs, 0, static_cast<std::int64_t>(drawn));
    const auto index = static_cast<std::size_t>(chosen);
    return index < jobs ? index : 0;
}

std::size_t Scheduler::highest_priority() {
    std::size_t best = 0;
    TaskIdentity* best_task = nullptr;
    std::size_t index = 0;
    for (const Host* host : runnable_) {
        for (std::size_t i = 0; i < host->ready_.size(); ++i, ++index) {
            TaskIdentity& task = host->ready_[i].task();
            if (best_task == nullptr || task.priority > best_task->priority) {
                best = index;
                best_task = &task;
            }
        }
    }
    if (preemptions_.empty() || preemptions_.back() > steps_) { return best; }
    preemptions_.pop_back();
    best_task->priority = preemptions_.size();
    return highest_priority();
}

std::vector<std::string> Scheduler::waiting() const {
    std::vector<std::string> lines;
    for (const Host* host : hosts_) {
        std::map<std::string_view, std::size_t> counts;
        for (const Host::WaitSlot& slot : host->waits_) {
            if (slot.wait) { ++counts[slot.wait->what]; }
        }
        for (const auto& [what, count] : counts) {
            lines.push_back(host->name() + ": " + std::to_string(count) + " waiting for " +
                            std::string(what));
        }
        if (host->paused_ && !(host->ready_.empty() && host->timers_.empty())) {
            lines.push_back(host->name() + ": paused with work to do");
        }
    }
    return lines;
}

TraceText Scheduler::intern(std::string_view text) {
    const std::uint64_t hash = hash64(text);
    const std::string& kept = texts_.try_emplace(hash, text).first->second;
    RP_ASSERT(kept == text);
    return {kept, hash};
}

std::uint64_t Scheduler::task_priority(std::uint32_t machine, std::uint64_t task) const {
    if (options_.schedule != Schedule::pct) { return 0; }
    const std::uint64_t entity = combine64(machine, task);
    return keyed_stream(options_.seed, "priorities", entity).next() | initial_priority;
}

}  // namespace rushproof::simulator
