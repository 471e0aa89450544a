#include "simulator/world/host.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"

namespace rushproof::simulator {

Host::Host(Machine& machine)
    : machine_(machine),
      incarnation_(++machine.incarnations_),
      system_task_(executor("system").task_),
      clock_(*this),
      random_(keyed_stream(scheduler().seed(), "host", combine64(hash64(name()), incarnation_))),
      spawner_(*this) {
    RP_ASSERT(machine_.host_ == nullptr);
    machine_.host_ = this;
    scheduler().born(*this);
}

Host::~Host() {
    crash();
    bury();
    destroy();
}

Host::Executor Host::executor(TraceText task_name) {
    return Executor(*this, TaskPointer(new TaskIdentity(new_identity(task_name))));
}

TaskIdentity Host::new_identity(TraceText task_name) {
    const std::uint64_t task = tasks_++;
    return {task, task_name, scheduler().task_priority(machine_.index(), task)};
}

void Host::spawn(TraceText task_name, Task<void> task) {
    asio::co_spawn(asio::any_io_executor(executor(task_name)), std::move(task),
                   [](const std::exception_ptr& exception) {
                       if (exception) { std::rethrow_exception(exception); }
                   });
}

template <class Handler>
class Host::ServerOf final : public Server {
public:
    ServerOf(TaskPointer identity, Handler handler)
        : Server(std::move(identity)), handler_(std::move(handler)) {}
    void resume(Task<void> task) override { std::move(handler_)(std::move(task)); }

private:
    Handler handler_;
};

void Host::serve(TraceText task_name, Task<void> task) {
    RP_ASSERT(scheduler().running() == this);
    if (idle_servers_.empty()) {
        spawn(task_name, serve_one_after_another(std::move(task)));
        return;
    }
    const std::unique_ptr<Server> server = std::move(idle_servers_.back());
    idle_servers_.pop_back();
    server->identity() = new_identity(task_name);
    server->resume(std::move(task));
}

Task<void> Host::serve_one_after_another(Task<void> task) {
    const auto idle = [this](auto handler) {
        TaskPointer identity = task_of(asio::get_associated_executor(handler));
        idle_servers_.push_back(
            std::make_unique<ServerOf<decltype(handler)>>(std::move(identity), std::move(handler)));
    };
    for (;;) {
        co_await std::move(task);
        Task<void> next = co_await asio::async_initiate<const asio::deferred_t&, void(Task<void>)>(
            idle, asio::deferred);
        task = std::move(next);
    }
}

void Host::crash() {
    RP_ASSERT(scheduler().running() == nullptr);
    if (!alive_) { return; }
    alive_ = false;
    machine_.host_ = nullptr;
    scheduler().crashed(*this);
    bury();
    shutdown();  // frees the frames that wait inside of Asio's channels
    bury();
}

bool Host::empty() const {
    return ready_.empty() && graveyard_.empty() && timers_.empty() && waits_.empty() &&
           idle_servers_.empty();
}

void Host::bury() {
    // Destroying a frame may enqueue and cancel: until nothing more comes.
    while (!empty()) {
        const auto ready = std::exchange(ready_, {});
        const auto graveyard = std::exchange(graveyard_, {});
        const auto timers = std::exchange(timers_, {});
        const auto waits = std::exchange(waits_, {});
        const auto idle_servers = std::exchange(idle_servers_, {});
        free_waits_.clear();
    }
}

void Host::enqueue(std::unique_ptr<Job> job) {
    if (alive_) {
        ready_.add(std::move(job));
        plan_next();
    } else {
        graveyard_.push_back(std::move(job));
    }
}

TaskPointer Host::task_of(const asio::any_io_executor& executor) {
    const auto* ours = executor.target<Executor>();
    RP_ASSERT(ours != nullptr);
    return ours->task_;
}

void Host::complete(Clock::WaitHandler sleeper, boost::system::error_code code) {
    const auto executor = asio::get_associated_executor(
        sleeper, asio::any_completion_executor(Executor(*this, system_task_)));
    auto resume = [sleeper = std::move(sleeper), code]() mutable { std::move(sleeper)(code); };
    if (const auto* ours = executor.target<Executor>()) {
        ours->enqueue(std::move(resume));
    } else {
        post([executor, resume = std::move(resume)]() mutable {
            executor.execute(std::move(resume));
        });
    }
}

void Host::sleep_until(MonotonicTime at, Clock::WaitHandler handler) {
    if (!alive_) {
        post([handler = std::move(handler)]() mutable {});
        return;
    }
    auto slot = asio::get_associated_cancellation_slot(handler);
    const TimerId timer = add_timer(at, {std::move(handler), {}});
    if (slot.is_connected()) {
        slot.assign([this, timer](asio::cancellation_type) { cancel_timer(timer); });
    }
}

TimerId Host::add_timer(MonotonicTime at, Timer timer) {
    const std::int64_t earliest = timers_.next();
    const TimerId added = timers_.add(at.time_since_epoch().count(), std::move(timer));
    if (timers_.next() != earliest) { plan_wake(); }
    return added;
}

void Host::cancel_timer(TimerId timer) {
    const std::int64_t earliest = timers_.next();
    std::optional<Timer> removed = timers_.remove(timer);
    if (!removed) { return; }
    if (timers_.next() != earliest) { plan_wake(); }
    if (removed->sleeper) {
        complete(std::move(removed->sleeper),
                 boost::system::error_code(asio::error::operation_aborted));
    }
}

void Host::fire_due_timers() {
    const std::int64_t now = clock_.monotonic().time_since_epoch().count();
    while (timers_.next() <= now) {
        Timer timer = timers_.pop();
        if (timer.sleeper) {
            complete(std::move(timer.sleeper), boost::system::error_code());
        } else {
            fail(timer.wait, Error(ErrorKind::unknown_outcome, "deadline-exceeded",
                                   "no answer before the deadline"));
        }
    }
    plan_wake();
}

void Host::plan_wake() {
    wake_ = timers_.empty()
                ? Duration::max()
                : machine_.clock().virtual_time(MonotonicTime(Duration(timers_.next())));
    plan_next();
}

WaitId Host::add_wait(std::unique_ptr<Wait> wait, std::optional<MonotonicTime> deadline) {
    RP_ASSERT(alive_);
    if (free_waits_.empty()) {
        free_waits_.push_back(static_cast<std::uint32_t>(waits_.size()));
        waits_.emplace_back();
    }
    const std::uint32_t slot = free_waits_.back();
    free_waits_.pop_back();
    const WaitId added{slot, waits_[slot].generation};
    if (deadline) { wait->timer = add_timer(*deadline, {{}, added}); }
    waits_[slot].wait = std::move(wait);
    return added;
}

std::unique_ptr<Host::Wait> Host::take_wait(WaitId which) {
    if (which.slot >= waits_.size() || waits_[which.slot].generation != which.generation) {
        return nullptr;
    }
    ++waits_[which.slot].generation;
    free_waits_.push_back(which.slot);
    std::unique_ptr<Wait> wait = std::move(waits_[which.slot].wait);
    cancel_timer(wait->timer);
    return wait;
}

bool Host::fail(WaitId which, Error error) {
    std::unique_ptr<Wait> wait = take_wait(which);
    if (!wait) { return false; }
    wait->fail(boost::system::error_code(), std::move(error));
    enqueue(std::move(wait));
    return true;
}

void Host::cancel_wait(WaitId which) {
    std::unique_ptr<Wait> wait = take_wait(which);
    if (!wait) { return; }
    wait->fail(asio::error::operation_aborted,
               Error(ErrorKind::unknown_outcome, "cancelled", "the caller gave up"));
    enqueue(std::move(wait));
}

MonotonicTime Host::ClockPort::monotonic() const {
    return host_.machine().clock().monotonic(host_.scheduler().now());
}
WallTime Host::ClockPort::wall() const {
    return host_.machine().clock().wall(host_.scheduler().now());
}
void Host::ClockPort::wait_until(MonotonicTime at, WaitHandler handler) {
    host_.sleep_until(at, std::move(handler));
}

asio::any_io_executor Host::SpawnerPort::executor(std::string_view task_name) {
    return host_.executor(host_.scheduler().intern(task_name));
}

}  // namespace rushproof::simulator
