#include "core/real/rabbitmq/rabbit_job_queue.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "core/real/rabbitmq/link.hpp"
#include "core/real/rabbitmq/reply.hpp"

namespace rushproof {

namespace rabbitmq {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto pause_first = std::chrono::milliseconds(20);
constexpr auto pause_max = std::chrono::milliseconds(1000);
constexpr auto look_every = std::chrono::milliseconds(20);  // while somebody waits for a job
constexpr auto idle_for = std::chrono::milliseconds(500);
constexpr auto count_every = std::chrono::seconds(1);
constexpr std::size_t id_max = 255;

Clock::time_point on_clock(MonotonicTime at) { return Clock::time_point(at.time_since_epoch()); }

Error unavailable() {
    return Error(ErrorKind::retryable, "unavailable", "RabbitMQ cannot be reached");
}

// Everything but post() and stop() happens on the thread.
class Worker {
public:
    Worker(std::string name, Address address, const RabbitOptions& options, Telemetry& telemetry)
        : options_(options),
          telemetry_(telemetry),
          link_(std::move(name), std::move(address), options),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          thread_([this] { run(); }) {}
    ~Worker() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_up();
        thread_.join();
        ::close(wake_);
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    using Work = std::function<void()>;
    void post(Work work) {
        {
            const std::lock_guard lock(mutex_);
            posted_.push_back(std::move(work));
        }
        wake_up();
    }

    void put(const Job& job, MonotonicTime deadline, const Reply<void>& reply) {
        if (!link_.is_open()) { return reply(failure(unavailable())); }
        if (waiting_ >= options_.waiting_max) {
            return reply(failure(ErrorKind::retryable, "queue-full", "too many jobs wait"));
        }
        publish(Link::Queue::work, job, "", 0, deadline, reply);
    }

    void take(MonotonicTime deadline, const Reply<std::optional<JobDelivery>>& reply) {
        takers_.push_back({deadline, reply});
        look_at_ = {};
    }

    void done(std::uint64_t number, const Reply<void>& reply) {
        const auto held = held_.find(number);
        if (held == held_.end()) { return reply(failure(gone())); }
        const auto acknowledged = link_.acknowledge(held->second.tag);
        if (acknowledged) { held_.erase(number); }
        reply(acknowledged);
    }

    void failed(std::uint64_t number, const std::string& reason, MonotonicTime deadline,
                const Reply<void>& reply) {
        const auto held = held_.find(number);
        if (held == held_.end()) { return reply(failure(gone())); }
        const Got got = std::move(held->second);
        held_.erase(held);
        if (got.attempt < options_.tries_max) {
            const auto rejected = link_.reject(got.tag);
            if (rejected) { retried_.fetch_add(1); }
            return reply(rejected);
        }
        // Only when it is safe there does it leave the queue of work.
        set_aside(got, got.attempt, Link::Queue::dead, reason, deadline, reply);
    }

    void dead(std::size_t limit, const Reply<std::vector<DeadJob>>& reply) {
        if (!link_.is_open()) { return reply(failure(unavailable())); }
        auto found = link_.browse(limit);
        if (!found) { return reply(failure(retryable(found.error()))); }
        std::vector<DeadJob> jobs;
        for (Got& got : *found) {
            jobs.push_back({std::move(got.job), std::move(got.reason), got.attempts});
        }
        reply(std::move(jobs));
    }

    void revive(MonotonicTime deadline, const Reply<bool>& reply) {
        if (!link_.is_open()) { return reply(failure(unavailable())); }
        auto got = link_.get(Link::Queue::dead);
        if (!got) { return reply(failure(retryable(got.error()))); }
        if (!*got) { return reply(false); }
        move(**got, 0, Link::Queue::work, "", deadline,
             [reply](Result<void> moved) { reply(moved.map([] { return true; })); });
    }

    void stats(const Reply<JobStats>& reply) {
        if (!link_.is_open()) { return reply(failure(unavailable())); }
        JobStats stats;
        stats.retried = retried_.load();
        std::array<std::int64_t, 3> counts = {};
        const std::array queues = {Link::Queue::work, Link::Queue::retry, Link::Queue::dead};
        for (std::size_t index = 0; index < queues.size(); ++index) {
            const auto count = link_.count(queues[index]);
            if (!count) { return reply(failure(retryable(count.error()))); }
            counts[index] = *count;
        }
        stats.waiting = counts[0] + counts[1];
        stats.dead = counts[2];
        reply(stats);
    }

private:
    using Settled = std::function<void(Result<void>)>;
    struct Unconfirmed {
        MonotonicTime deadline;
        Settled settled;
    };
    struct Taker {
        MonotonicTime deadline;
        Reply<std::optional<JobDelivery>> reply;
    };

    static Error gone() {
        return Error(ErrorKind::retryable, "unavailable",
                     "RabbitMQ was disconnected, and delivers this job again");
    }
    // Of a question, which has no effect.
    static Error retryable(const Error& error) {
        return Error(ErrorKind::retryable, "unavailable", error.message());
    }

    void wake_up() const {
        const std::uint64_t one = 1;
        (void)!::write(wake_, &one, sizeof one);
    }

    void publish(Link::Queue queue, const Job& job, const std::string& reason,
                 std::int64_t attempts, MonotonicTime deadline, Settled settled) {
        const auto number = link_.publish(queue, job, reason, attempts);
        if (!number) { return settled(failure(number.error())); }
        unconfirmed_.emplace(*number, Unconfirmed{deadline, std::move(settled)});
    }

    void set_aside(const Got& got, std::int64_t attempts, Link::Queue to, const std::string& reason,
                   MonotonicTime deadline, const Reply<void>& reply) {
        move(got, attempts, to, reason, deadline, [reply](Result<void> moved) { reply(moved); });
    }

    // A copy first, then the original goes.  Whatever breaks in between leaves both, not none.
    void move(const Got& got, std::int64_t attempts, Link::Queue to, const std::string& reason,
              MonotonicTime deadline, Settled settled) {
        publish(to, got.job, reason, attempts, deadline,
                [this, tag = got.tag, settled = std::move(settled)](Result<void> copied) {
                    if (copied) {
                        copied = link_.acknowledge(tag);
                    } else {
                        (void)link_.put_back(tag);
                    }
                    settled(std::move(copied));
                });
    }

    void run() {
        auto pause = pause_first;
        Clock::time_point connect_at;
        bool told = false;
        while (!stopping()) {
            if (!link_.is_open() && Clock::now() >= connect_at) {
                lose();
                const auto opened = link_.open();
                if (opened) {
                    pause = pause_first;
                    told = false;
                    telemetry_.log(LogLevel::info, "RabbitMQ is connected", {});
                } else {
                    if (!std::exchange(told, true)) {
                        telemetry_.log(LogLevel::warning, "RabbitMQ cannot be connected",
                                       {{"why", opened.error().message()}});
                    }
                    connect_at = Clock::now() + pause / 2 + jitter(pause / 2);
                    pause = std::min(pause * 2, pause_max);
                }
            }
            work_off();
            if (link_.is_open()) { hear_verdicts(); }
            if (link_.is_open()) { count_waiting(); }
            give_to_takers();
            expire();
            if (!link_.is_open()) { lose(); }
            wait(connect_at);
        }
        lose();
        work_off();  // they are told that nothing is open
        for (const Taker& taker : takers_) { taker.reply(failure(unavailable())); }
        link_.close();
    }

    bool stopping() {
        const std::lock_guard lock(mutex_);
        return stopping_;
    }

    void work_off() {
        std::vector<Work> works;
        {
            const std::lock_guard lock(mutex_);
            works.swap(posted_);
        }
        for (const Work& work : works) { work(); }
    }

    // What was under way on a connection that is gone.
    void lose() {
        held_.clear();
        link_.close();
        auto unconfirmed = std::exchange(unconfirmed_, {});
        for (auto& [number, put] : unconfirmed) {
            put.settled(failure(ErrorKind::unknown_outcome, "connection-lost",
                                "RabbitMQ was disconnected before it confirmed"));
        }
    }

    void hear_verdicts() {
        const auto verdicts = link_.poll();
        if (!verdicts) { return; }
        for (const Verdict& verdict : *verdicts) {
            const auto last = unconfirmed_.upper_bound(verdict.tag);
            auto first = verdict.multiple ? unconfirmed_.begin() : unconfirmed_.find(verdict.tag);
            if (first == unconfirmed_.end()) { continue; }
            std::vector<Settled> settled;
            for (auto at = first; at != last; ++at) {
                settled.push_back(std::move(at->second.settled));
            }
            unconfirmed_.erase(first, last);
            for (const Settled& each : settled) {
                each(verdict.accepted
                         ? Result<void>()
                         : failure(ErrorKind::retryable, "queue-full", "RabbitMQ refused the job"));
            }
        }
    }

    void count_waiting() {
        if (Clock::now() < count_at_) { return; }
        count_at_ = Clock::now() + count_every;
        if (const auto count = link_.count(Link::Queue::work)) { waiting_ = *count; }
    }

    // Asked for one by one, and only when somebody waits: no worker holds back what others could
    // do.
    void give_to_takers() {
        if (takers_.empty() || Clock::now() < look_at_) { return; }
        while (!takers_.empty() && link_.is_open()) {
            if (on_clock(takers_.front().deadline) <= Clock::now()) { break; }  // expire() answers
            auto got = link_.get(Link::Queue::work);
            if (!got) { return; }
            if (!*got) { break; }
            JobDelivery delivery;
            delivery.job = (*got)->job;
            delivery.attempt = (*got)->attempt;
            delivery.number = ++last_number_;
            held_.emplace(last_number_, **std::move(got));
            takers_.front().reply(std::optional<JobDelivery>(std::move(delivery)));
            takers_.pop_front();
        }
        look_at_ = Clock::now() + look_every;
    }

    void expire() {
        const auto now = Clock::now();
        for (auto at = takers_.begin(); at != takers_.end();) {
            if (on_clock(at->deadline) > now) {
                ++at;
                continue;
            }
            at->reply(link_.is_open() ? Result<std::optional<JobDelivery>>(std::nullopt)
                                      : failure(unavailable()));
            at = takers_.erase(at);
        }
        std::vector<std::uint64_t> late;
        for (const auto& [number, put] : unconfirmed_) {
            if (on_clock(put.deadline) <= now) { late.push_back(number); }
        }
        for (const std::uint64_t number : late) {
            const auto put = unconfirmed_.find(number);
            Settled settled = std::move(put->second.settled);
            unconfirmed_.erase(put);
            settled(failure(ErrorKind::unknown_outcome, "deadline-exceeded",
                            "RabbitMQ did not confirm in time"));
        }
    }

    void wait(Clock::time_point connect_at) {
        const auto now = Clock::now();
        Clock::time_point until = now + idle_for;
        if (!link_.is_open()) { until = std::min(until, connect_at); }
        if (!takers_.empty() && link_.is_open()) { until = std::min(until, look_at_); }
        for (const Taker& taker : takers_) { until = std::min(until, on_clock(taker.deadline)); }
        for (const auto& [number, put] : unconfirmed_) {
            until = std::min(until, on_clock(put.deadline));
        }
        std::array<pollfd, 2> files = {{{wake_, POLLIN, 0}, {-1, POLLIN, 0}}};
        if (link_.is_open()) { files[1].fd = link_.descriptor(); }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
        ::poll(files.data(), files.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
        std::uint64_t count = 0;
        (void)!::read(wake_, &count, sizeof count);
    }

    std::chrono::milliseconds jitter(std::chrono::milliseconds most) {
        return std::chrono::milliseconds(std::random_device()() %
                                         static_cast<unsigned>(most.count() + 1));
    }

    const RabbitOptions options_;
    Telemetry& telemetry_;
    Link link_;
    const int wake_;
    std::map<std::uint64_t, Unconfirmed> unconfirmed_;
    std::map<std::uint64_t, Got> held_;
    std::list<Taker> takers_;
    std::uint64_t last_number_ = 0;
    std::int64_t waiting_ = 0;
    std::atomic<std::uint64_t> retried_ = 0;
    Clock::time_point look_at_;
    Clock::time_point count_at_;
    std::mutex mutex_;  // guards the rest
    std::vector<Work> posted_;
    bool stopping_ = false;
    std::thread thread_;  // the last: it uses all of these
};

class RabbitJobQueue final : public JobQueue {
public:
    RabbitJobQueue(std::string name, Address address, const RabbitOptions& options,
                   Telemetry& telemetry)
        : body_max_(options.body_max),
          worker_(std::move(name), std::move(address), options, telemetry) {}

    Task<Result<void>> put(Context context, Job job) override {
        if (job.body.size() > body_max_ || job.id.size() > id_max) {
            co_return failure(ErrorKind::permanent, "too-large",
                              "RabbitMQ takes no job of this size");
        }
        auto start = [this, until = context.deadline, given = std::move(job)](auto reply) {
            worker_.post([this, until, given, reply] { worker_.put(given, until, reply); });
        };
        co_return co_await await_reply<void>(std::move(start));
    }
    Task<Result<std::optional<JobDelivery>>> take(Context context) override {
        auto start = [this, until = context.deadline](auto reply) {
            worker_.post([this, until, reply] { worker_.take(until, reply); });
        };
        return await_reply<std::optional<JobDelivery>>(std::move(start));
    }
    Task<Result<void>> done(Context, std::uint64_t number) override {
        auto start = [this, number](auto reply) {
            worker_.post([this, number, reply] { worker_.done(number, reply); });
        };
        return await_reply<void>(std::move(start));
    }
    Task<Result<void>> failed(Context context, std::uint64_t number, std::string reason) override {
        auto start = [this, number, until = context.deadline, why = std::move(reason)](auto reply) {
            worker_.post(
                [this, number, until, why, reply] { worker_.failed(number, why, until, reply); });
        };
        return await_reply<void>(std::move(start));
    }
    Task<Result<std::vector<DeadJob>>> dead(Context, std::size_t limit) override {
        auto start = [this, limit](auto reply) {
            worker_.post([this, limit, reply] { worker_.dead(limit, reply); });
        };
        return await_reply<std::vector<DeadJob>>(std::move(start));
    }
    Task<Result<bool>> revive(Context context) override {
        auto start = [this, until = context.deadline](auto reply) {
            worker_.post([this, until, reply] { worker_.revive(until, reply); });
        };
        return await_reply<bool>(std::move(start));
    }
    Task<Result<JobStats>> stats(Context) override {
        auto start = [this](auto reply) { worker_.post([this, reply] { worker_.stats(reply); }); };
        return await_reply<JobStats>(std::move(start));
    }

private:
    const std::size_t body_max_;
    Worker worker_;
};

}  // namespace

}  // namespace rabbitmq

Result<std::shared_ptr<JobQueue>> make_rabbit_job_queue(const std::string& name,
                                                        const RabbitOptions& options,
                                                        Telemetry& telemetry) {
    RP_TRY(auto address, rabbitmq::parse_address(options.url));
    return std::make_shared<rabbitmq::RabbitJobQueue>(name, std::move(address), options, telemetry);
}

Result<void> check_rabbit_url(const std::string& url) {
    RP_CHECK(rabbitmq::parse_address(url));
    return {};
}

}  // namespace rushproof
