// One simulated process: an Asio execution context whose coroutines run in virtual time, and which
// can die at any moment and leave nothing behind.
#pragma once
#include <algorithm>
#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/keyed_random.hpp"
#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/random.hpp"
#include "core/ports/spawner.hpp"
#include "simulator/world/job.hpp"
#include "simulator/world/scheduler.hpp"

namespace rushproof::simulator {

// A coroutine of one host that waits for an answer from outside, named by number so that whoever
// answers holds nothing that belongs to the host.
struct WaitId {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  // 0: nobody
};
template <class T>
struct ReplyTo {
    WaitId id;
};

// Order of life: construct on a Machine without a living host; construct the service on it; run;
// crash(); destroy the service; destroy the host.
class Host final : public asio::execution_context {
public:
    template <bool may_run_inline>
    class BasicExecutor;
    using Executor = BasicExecutor<true>;

    explicit Host(Machine& machine);
    ~Host();

    const std::string& name() const { return machine_.name(); }
    Machine& machine() const { return machine_; }
    Scheduler& scheduler() const { return machine_.scheduler(); }
    // 1 for the first host of a machine; others refer to a host by (machine, incarnation).
    std::uint32_t incarnation() const { return incarnation_; }
    bool alive() const { return alive_; }

    // Accepts calls (network.hpp) from now on; before that they are refused.
    void listen() { listening_ = true; }
    // Refuses new calls again; those under way go on.
    void close() { listening_ = false; }
    bool listening() const { return listening_; }

    // A new task identity; the name is for traces, and lives as long as the scheduler.
    Executor executor(TraceText task_name);
    // Starts a coroutine: at once when asked from a step of this host, otherwise as a step of its
    // own.  An exception that escapes from it ends the run.
    void spawn(TraceText task_name, Task<void> task);
    // The same from a step of this host, for the many short tasks of a server: cheaper, since a
    // coroutine that has ended its task waits for the next.
    void serve(TraceText task_name, Task<void> task);
    // Runs `function` as a step of this host, on behalf of the system.
    template <class Function>
    void post(Function function);

    // The ports of this process.
    Clock& clock() { return clock_; }
    Random& random() { return random_; }
    Spawner& spawner() { return spawner_; }

    // Paused: no code runs, but the process stays alive and reachable.  On resume all timers that
    // came due meanwhile fire late, at once.
    void pause() {
        paused_ = true;
        plan_next();
    }
    void resume() {
        paused_ = false;
        plan_next();
    }
    bool paused() const { return paused_; }

    // Kills the process between steps: nothing of it runs any more, every frame, timer and wait is
    // destroyed.  Then its owner destroys the service, then the host.
    void crash();

    // co_await host.reply<T>("begin", deadline, start): suspends a coroutine of this host until
    // answer() or fail() is called with the id that start(ReplyTo<T>) is given, or until the
    // deadline: then an unknown outcome, "deadline-exceeded".  Throws system_error when cancelled.
    template <class T, class Start>
    auto reply(std::string_view what, std::optional<MonotonicTime> deadline, Start start);
    // Completes a wait by enqueuing its coroutine.  False when there is no such wait (any more):
    // late answers to timed-out and cancelled calls are ignored.
    template <class T>
    bool answer(ReplyTo<T> to, Result<T> result);
    bool fail(WaitId which, Error error);

private:
    friend class Machine;
    friend class Scheduler;

    // A coroutine that waits for an answer; with its answer it is the job that resumes it.
    class Wait : public Job {
    public:
        Wait(TaskPointer task, std::string_view waits_for)
            : Job(std::move(task)), what(waits_for) {}
        virtual void fail(boost::system::error_code code, Error error) = 0;

        const std::string_view what;
        TimerId timer;
    };
    template <class T>
    class TypedWait;
    template <class T, class Handler>
    class WaitOf;
    // A coroutine of serve() without a task.
    class Server {
    public:
        explicit Server(TaskPointer identity) : identity_(std::move(identity)) {}
        Server(const Server&) = delete;
        Server& operator=(const Server&) = delete;
        virtual ~Server() = default;
        virtual void resume(Task<void> task) = 0;
        TaskIdentity& identity() const { return *identity_; }

    private:
        TaskPointer identity_;
    };
    template <class Handler>
    class ServerOf;
    struct WaitSlot {
        std::unique_ptr<Wait> wait;
        std::uint32_t generation = 1;
    };
    // What a timer does: wakes a sleeper, or ends a wait.
    struct Timer {
        Clock::WaitHandler sleeper;
        WaitId wait;
    };

    class ClockPort final : public Clock {
    public:
        explicit ClockPort(Host& host) : host_(host) {}
        MonotonicTime monotonic() const override;
        WallTime wall() const override;
        void wait_until(MonotonicTime at, WaitHandler handler) override;

    private:
        Host& host_;
    };
    class RandomPort final : public Random {
    public:
        explicit RandomPort(RandomStream stream) : stream_(stream) {}
        std::uint64_t next() override { return stream_.next(); }

    private:
        RandomStream stream_;
    };
    class SpawnerPort final : public Spawner {
    public:
        explicit SpawnerPort(Host& host) : host_(host) {}
        asio::any_io_executor executor(std::string_view task_name) override;

    private:
        Host& host_;
    };

    void enqueue(std::unique_ptr<Job> job);
    // The task of a coroutine of this host.
    static TaskPointer task_of(const asio::any_io_executor& executor);
    // Enqueues `sleeper(code)` on its own executor.
    void complete(Clock::WaitHandler sleeper, boost::system::error_code code);

    void sleep_until(MonotonicTime at, Clock::WaitHandler handler);
    TimerId add_timer(MonotonicTime at, Timer timer);
    void cancel_timer(TimerId timer);
    void fire_due_timers();
    void plan_wake();
    void plan_next() {
        const Duration ready = ready_.empty() ? Duration::max() : busy_until_;
        next_ = paused_ ? Duration::max() : std::min(wake_, ready);
    }

    TaskIdentity new_identity(TraceText task_name);
    Task<void> serve_one_after_another(Task<void> task);

    WaitId add_wait(std::unique_ptr<Wait> wait, std::optional<MonotonicTime> deadline);
    std::unique_ptr<Wait> take_wait(WaitId which);
    void cancel_wait(WaitId which);

    bool empty() const;
    void bury();

    Machine& machine_;
    std::uint32_t incarnation_;
    bool alive_ = true;
    bool paused_ = false;
    bool listening_ = false;
    std::uint64_t tasks_ = 0;
    TaskPointer system_task_;
    ReadyQueue ready_;
    Duration busy_until_{};
    TimerQueue<Timer> timers_;
    Duration wake_ = Duration::max();  // when the first timer is due, in virtual time
    Duration next_ = Duration::max();  // when something can happen here
    std::vector<WaitSlot> waits_;
    std::vector<std::uint32_t> free_waits_;
    std::vector<std::unique_ptr<Server>> idle_servers_;
    std::vector<std::unique_ptr<Job>> graveyard_;  // what a dead host was asked to run
    ClockPort clock_;
    RandomPort random_;
    SpawnerPort spawner_;
};

// 16 bytes, so any_io_executor stores it inline.  Executes by enqueuing; only what Asio dispatches
// from within a step of the same host runs at once, as on an io_context of one thread.  (Without
// that, a coroutine that loses a race before its first step takes the whole race down: co_spawn of
// Boost 1.81 lets its cancellation escape.)
template <bool may_run_inline>
class Host::BasicExecutor {
public:
    BasicExecutor(Host& host, TaskPointer task) noexcept : host_(&host), task_(std::move(task)) {}
    BasicExecutor(const BasicExecutor&) noexcept = default;
    BasicExecutor(BasicExecutor&&) noexcept = default;
    BasicExecutor& operator=(const BasicExecutor&) noexcept = default;
    BasicExecutor& operator=(BasicExecutor&&) noexcept = default;
    ~BasicExecutor() = default;

    Host& query(asio::execution::context_t) const noexcept { return *host_; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        if constexpr (may_run_inline) { return asio::execution::blocking.possibly; }
        return asio::execution::blocking.never;
    }
    BasicExecutor<false> require(asio::execution::blocking_t::never_t) const noexcept {
        return {*host_, task_};
    }
    BasicExecutor<true> require(asio::execution::blocking_t::possibly_t) const noexcept {
        return {*host_, task_};
    }
    template <class Function>
    void execute(Function function) const {
        if constexpr (may_run_inline) {
            if (host_->scheduler().running() == host_) {
                std::move(function)();
                return;
            }
        }
        enqueue(std::move(function));
    }
    template <class Function>
    void enqueue(Function function) const {
        host_->enqueue(std::make_unique<FunctionJob<Function>>(task_, std::move(function)));
    }
    bool operator==(const BasicExecutor& other) const noexcept = default;

private:
    friend class Host;
    Host* host_;
    TaskPointer task_;
};
static_assert(sizeof(Host::Executor) == 2 * sizeof(void*));

template <class T>
class Host::TypedWait : public Wait {
public:
    using Wait::Wait;
    void succeed(Result<T> result) { result_.emplace(std::move(result)); }
    void fail(boost::system::error_code code, Error error) override {
        code_ = code;
        result_.emplace(failure(std::move(error)));
    }

protected:
    boost::system::error_code code_;
    std::optional<Result<T>> result_;
};

template <class T, class Handler>
class Host::WaitOf final : public TypedWait<T> {
public:
    WaitOf(TaskPointer task, std::string_view waits_for, Handler handler)
        : TypedWait<T>(std::move(task), waits_for), handler_(std::move(handler)) {}
    void run() override { std::move(handler_)(this->code_, *std::move(this->result_)); }

private:
    Handler handler_;
};

template <class Function>
void Host::post(Function function) {
    enqueue(std::make_unique<FunctionJob<Function>>(system_task_, std::move(function)));
}

template <class T, class Start>
auto Host::reply(std::string_view what, std::optional<MonotonicTime> deadline, Start start) {
    auto initiate = [this, what, deadline, start = std::move(start)](auto handler) mutable {
        auto slot = asio::get_associated_cancellation_slot(handler);
        using Handler = decltype(handler);
        TaskPointer task = task_of(asio::get_associated_executor(handler));
        const WaitId wait = add_wait(
            std::make_unique<WaitOf<T, Handler>>(std::move(task), what, std::move(handler)),
            deadline);
        if (slot.is_connected()) {
            slot.assign([this, wait](asio::cancellation_type) { cancel_wait(wait); });
        }
        start(ReplyTo<T>{wait});
    };
    // Deferred: awaited in the caller's own frame, where use_awaitable would take one more.
    return asio::async_initiate<const asio::deferred_t&,
                                void(boost::system::error_code, Result<T>)>(std::move(initiate),
                                                                            asio::deferred);
}

template <class T>
bool Host::answer(ReplyTo<T> to, Result<T> result) {
    std::unique_ptr<Wait> wait = take_wait(to.id);
    if (!wait) { return false; }
    static_cast<TypedWait<T>&>(*wait).succeed(std::move(result));
    enqueue(std::move(wait));
    return true;
}

}  // namespace rushproof::simulator
