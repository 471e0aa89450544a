#include "simulator/world/rabbitmq_client.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace rushproof::simulator {

namespace {

constexpr Duration call_within = std::chrono::seconds(2);
constexpr std::string_view attempts_header = "rushproof-attempts";
constexpr std::string_view reason_header = "rushproof-reason";

Error unavailable(const Error& error) {
    return {ErrorKind::retryable, "unavailable", error.message()};
}

tl::unexpected<Error> unknown_delivery() {
    return failure(ErrorKind::permanent, "unknown-delivery", "no such job is held");
}

std::string header(const RabbitMessage& message, std::string_view name) {
    for (const auto& [known, value] : message.headers) {
        if (known == name) { return value; }
    }
    return {};
}

std::int64_t failed_before(const RabbitMessage& message) {
    const std::string text = header(message, attempts_header);
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

RabbitMessage to_rabbit(rushproof::Job job, std::int64_t attempts, const std::string& reason) {
    RabbitMessage message;
    message.id = std::move(job.id);
    message.headers = std::move(job.headers);
    message.headers.emplace_back(attempts_header, std::to_string(attempts));
    if (!reason.empty()) { message.headers.emplace_back(reason_header, reason); }
    message.body = std::move(job.body);
    return message;
}

rushproof::Job from_rabbit(const RabbitMessage& message) {
    rushproof::Job job;
    job.id = message.id;
    for (const auto& [name, value] : message.headers) {
        if (name != attempts_header && name != reason_header) {
            job.headers.emplace_back(name, value);
        }
    }
    job.body = message.body;
    return job;
}

// One connection, which comes back when it is next used, and the jobs taken over it.
class RabbitJobs : public std::enable_shared_from_this<RabbitJobs> {
public:
    using Self = std::shared_ptr<RabbitJobs>;
    RabbitJobs(RabbitAccess access, RabbitTwinOptions options, std::string name)
        : access_(access), options_(options), name_(std::move(name)) {}

    void start() { access_.host().spawn("rabbitmq connection", beat_for_ever(shared_from_this())); }
    void close() {
        closed_ = true;
        drop(channel_);
    }

    static Task<Result<RabbitChannel>> connect(Self self, MonotonicTime deadline);
    static Task<Result<void>> put(Self self, MonotonicTime deadline, rushproof::Job job);
    static Task<Result<std::optional<JobDelivery>>> take(Self self, MonotonicTime deadline);
    static Task<Result<void>> done(Self self, std::uint64_t number);
    static Task<Result<void>> failed(Self self, MonotonicTime deadline, std::uint64_t number,
                                     std::string reason);
    static Task<Result<std::vector<DeadJob>>> dead(Self self, MonotonicTime deadline,
                                                   std::size_t limit);
    static Task<Result<bool>> revive(Self self, MonotonicTime deadline);
    static Task<Result<JobStats>> stats(Self self, MonotonicTime deadline);

private:
    struct Held {
        RabbitChannel channel;
        std::uint64_t tag;
        RabbitMessage message;
    };

    static Task<void> beat_for_ever(Self self);
    static Task<Result<void>> publish(Self self, MonotonicTime deadline, std::string queue,
                                      RabbitMessage message);
    static Task<Result<RabbitGot>> get(Self self, RabbitChannel channel, std::string queue,
                                       MonotonicTime deadline);
    static Task<Result<std::int64_t>> size(Self self, MonotonicTime deadline, std::string queue);
    // The connection broke: the server takes back what is out.
    void drop(RabbitChannel channel);
    bool acknowledge(RabbitChannel channel, std::uint64_t tag);

    std::string retry() const { return name_ + ".retry"; }
    std::string dead_letters() const { return name_ + ".dead"; }

    RabbitAccess access_;
    RabbitTwinOptions options_;
    std::string name_;
    bool closed_ = false;
    RabbitChannel channel_ = 0;  // 0: there is none
    std::map<std::uint64_t, Held> held_;
    std::uint64_t last_number_ = 0;
    std::uint64_t retried_ = 0;
};

Task<Result<RabbitChannel>> RabbitJobs::connect(Self self, MonotonicTime deadline) {
    if (self->channel_ != 0) { co_return self->channel_; }
    RabbitServer::Declarations declarations;
    declarations[self->name_].messages_max = self->options_.waiting_max;
    declarations[self->retry()].time_to_live = self->options_.retry_delay;
    declarations[self->retry()].dead_letter_queue = self->name_;
    declarations[self->dead_letters()];
    auto serve = [&server = self->access_.server(), client = self->access_.client(), declarations] {
        return RabbitServer::connect(server, client, declarations);
    };
    const auto channel =
        co_await self->access_.ask<std::int64_t>("rabbitmq.connect", 0, deadline, std::move(serve));
    if (!channel) { co_return failure(unavailable(channel.error())); }
    // Another task may have been faster.
    const auto opened = static_cast<RabbitChannel>(*channel);
    if (self->channel_ != 0) {
        auto deliver = [&server = self->access_.server(), opened] { server.close(opened); };
        self->access_.tell("rabbitmq.close", opened, std::move(deliver));
    } else {
        self->channel_ = opened;
    }
    co_return self->channel_;
}

void RabbitJobs::drop(RabbitChannel channel) {
    if (channel == 0 || channel != channel_) { return; }
    channel_ = 0;
    auto deliver = [&server = access_.server(), channel] { server.close(channel); };
    access_.tell("rabbitmq.close", channel, std::move(deliver));
}

Task<void> RabbitJobs::beat_for_ever(Self self) {
    while (!self->closed_) {
        co_await sleep_for(self->access_.clock(), self->access_.server().heartbeat() / 2);
        const RabbitChannel channel = self->channel_;
        if (channel == 0 || self->closed_) { continue; }
        auto serve = [&server = self->access_.server(), channel] {
            return RabbitServer::beat(server, channel);
        };
        const MonotonicTime deadline = self->access_.now() + self->access_.server().heartbeat();
        const auto alive = co_await self->access_.ask<std::int64_t>("rabbitmq.heartbeat", channel,
                                                                    deadline, std::move(serve));
        if (!alive) { self->drop(channel); }
    }
}

Task<Result<void>> RabbitJobs::publish(Self self, MonotonicTime deadline, std::string queue,
                                       RabbitMessage message) {
    const std::uint64_t payload = hash_message(message);
    auto serve = [&server = self->access_.server(), queue = std::move(queue),
                  message = std::move(message)] {
        return RabbitServer::publish(server, queue, message);
    };
    const auto published = co_await self->access_.ask<std::int64_t>("rabbitmq.publish", payload,
                                                                    deadline, std::move(serve));
    if (published) { co_return Result<void>(); }
    if (published.error().code() == "no-route") {
        self->drop(self->channel_);
        co_return failure(unavailable(published.error()));
    }
    co_return failure(published.error());
}

Task<Result<void>> RabbitJobs::put(Self self, MonotonicTime deadline, rushproof::Job job) {
    RP_CO_CHECK(co_await connect(self, deadline));
    RabbitMessage message = to_rabbit(std::move(job), 0, {});
    co_return co_await publish(self, deadline, self->name_, std::move(message));
}

Task<Result<RabbitGot>> RabbitJobs::get(Self self, RabbitChannel channel, std::string queue,
                                        MonotonicTime deadline) {
    const Duration wait = std::max(deadline - self->access_.now(), Duration::zero());
    auto serve = [&server = self->access_.server(), channel, queue, wait] {
        const MonotonicTime until = server.machine().host()->clock().monotonic() + wait;
        return RabbitServer::get(server, channel, queue, until);
    };
    auto got = co_await self->access_.ask<RabbitGot>("rabbitmq.get", channel,
                                                     deadline + call_within, std::move(serve));
    if (got) { co_return got; }
    // Something may be out that never arrived here.
    if (got.error().code() != "unavailable") { self->drop(channel); }
    co_return failure(unavailable(got.error()));
}

Task<Result<std::optional<JobDelivery>>> RabbitJobs::take(Self self, MonotonicTime deadline) {
    RP_CO_TRY(const RabbitChannel channel, co_await connect(self, deadline));
    RP_CO_TRY(const RabbitGot got, co_await get(self, channel, self->name_, deadline));
    if (!got.delivery) { co_return std::optional<JobDelivery>(); }
    if (channel != self->channel_) {
        co_return failure(ErrorKind::retryable, "unavailable", "the connection broke");
    }
    JobDelivery delivery;
    delivery.job = from_rabbit(got.delivery->message);
    delivery.number = ++self->last_number_;
    delivery.attempt = failed_before(got.delivery->message) + 1;
    self->held_.emplace(delivery.number, Held{channel, got.delivery->tag, got.delivery->message});
    co_return std::optional<JobDelivery>(std::move(delivery));
}

bool RabbitJobs::acknowledge(RabbitChannel channel, std::uint64_t tag) {
    if (channel != channel_) { return false; }
    auto deliver = [&server = access_.server(), channel, tag] { server.acknowledge(channel, tag); };
    return access_.tell("rabbitmq.acknowledge", tag, std::move(deliver));
}

Task<Result<void>> RabbitJobs::done(Self self, std::uint64_t number) {
    const auto held = self->held_.extract(number);
    if (held.empty()) { co_return unknown_delivery(); }
    if (self->acknowledge(held.mapped().channel, held.mapped().tag)) { co_return Result<void>(); }
    co_return failure(ErrorKind::retryable, "unavailable",
                      "the connection broke; the job is delivered again");
}

Task<Result<void>> RabbitJobs::failed(Self self, MonotonicTime deadline, std::uint64_t number,
                                      std::string reason) {
    const auto found = self->held_.find(number);
    if (found == self->held_.end()) { co_return unknown_delivery(); }
    const Held held = found->second;
    const std::int64_t attempts = failed_before(held.message) + 1;
    const bool last = attempts >= self->options_.attempts_max;
    std::string queue = last ? self->dead_letters() : self->retry();
    RabbitMessage message =
        to_rabbit(from_rabbit(held.message), attempts, last ? reason : std::string());
    RP_CO_CHECK(co_await publish(self, deadline, std::move(queue), std::move(message)));
    if (!last) { ++self->retried_; }
    co_return co_await done(self, number);
}

Task<Result<std::vector<DeadJob>>> RabbitJobs::dead(Self self, MonotonicTime deadline,
                                                    std::size_t limit) {
    RP_CO_CHECK(co_await connect(self, deadline));
    auto serve = [&server = self->access_.server(), queue = self->dead_letters(), limit] {
        return RabbitServer::peek(server, queue, limit);
    };
    const auto messages = co_await self->access_.ask<RabbitMessages>("rabbitmq.peek", limit,
                                                                     deadline, std::move(serve));
    if (!messages) { co_return failure(unavailable(messages.error())); }
    std::vector<DeadJob> jobs;
    for (const RabbitMessage& message : messages->messages) {
        DeadJob job;
        job.job = from_rabbit(message);
        job.reason = header(message, reason_header);
        job.attempts = failed_before(message);
        jobs.push_back(std::move(job));
    }
    co_return jobs;
}

Task<Result<bool>> RabbitJobs::revive(Self self, MonotonicTime deadline) {
    RP_CO_TRY(const RabbitChannel channel, co_await connect(self, deadline));
    const MonotonicTime at_once = self->access_.now();
    RP_CO_TRY(const RabbitGot got, co_await get(self, channel, self->dead_letters(), at_once));
    if (!got.delivery) { co_return false; }
    RabbitMessage message = to_rabbit(from_rabbit(got.delivery->message), 0, {});
    const auto published = co_await publish(self, deadline, self->name_, std::move(message));
    if (!published) {
        // It returns to where it was.
        self->drop(channel);
        co_return failure(published.error());
    }
    self->acknowledge(channel, got.delivery->tag);
    co_return true;
}

Task<Result<std::int64_t>> RabbitJobs::size(Self self, MonotonicTime deadline, std::string queue) {
    auto serve = [&server = self->access_.server(), queue] {
        return RabbitServer::size(server, queue);
    };
    const auto size =
        co_await self->access_.ask<std::int64_t>("rabbitmq.size", 0, deadline, std::move(serve));
    if (!size) { co_return failure(unavailable(size.error())); }
    co_return *size;
}

Task<Result<JobStats>> RabbitJobs::stats(Self self, MonotonicTime deadline) {
    RP_CO_CHECK(co_await connect(self, deadline));
    RP_CO_TRY(const std::int64_t waiting, co_await size(self, deadline, self->name_));
    RP_CO_TRY(const std::int64_t delayed, co_await size(self, deadline, self->retry()));
    JobStats stats;
    RP_CO_TRY(stats.dead, co_await size(self, deadline, self->dead_letters()));
    stats.waiting = waiting + delayed;
    stats.retried = self->retried_;
    co_return stats;
}

class SimRabbitQueue final : public JobQueue {
public:
    explicit SimRabbitQueue(std::shared_ptr<RabbitJobs> jobs) : jobs_(std::move(jobs)) {}
    SimRabbitQueue(const SimRabbitQueue&) = delete;
    SimRabbitQueue& operator=(const SimRabbitQueue&) = delete;
    ~SimRabbitQueue() override { jobs_->close(); }

    Task<Result<void>> put(Context context, rushproof::Job job) override {
        return RabbitJobs::put(jobs_, context.deadline, std::move(job));
    }
    Task<Result<std::optional<JobDelivery>>> take(Context context) override {
        return RabbitJobs::take(jobs_, context.deadline);
    }
    Task<Result<void>> done(Context, std::uint64_t number) override {
        return RabbitJobs::done(jobs_, number);
    }
    Task<Result<void>> failed(Context context, std::uint64_t number, std::string reason) override {
        return RabbitJobs::failed(jobs_, context.deadline, number, std::move(reason));
    }
    Task<Result<std::vector<DeadJob>>> dead(Context context, std::size_t limit) override {
        return RabbitJobs::dead(jobs_, context.deadline, limit);
    }
    Task<Result<bool>> revive(Context context) override {
        return RabbitJobs::revive(jobs_, context.deadline);
    }
    Task<Result<JobStats>> stats(Context context) override {
        return RabbitJobs::stats(jobs_, context.deadline);
    }

private:
    std::shared_ptr<RabbitJobs> jobs_;
};

}  // namespace

Task<Result<std::shared_ptr<JobQueue>>> open_rabbitmq(RabbitAccess access,
                                                      RabbitTwinOptions options, std::string name,
                                                      MonotonicTime deadline) {
    auto jobs = std::make_shared<RabbitJobs>(access, options, std::move(name));
    RP_CO_CHECK(co_await RabbitJobs::connect(jobs, deadline));
    jobs->start();
    std::shared_ptr<JobQueue> queue = std::make_shared<SimRabbitQueue>(std::move(jobs));
    co_return queue;
}

}  // namespace rushproof::simulator
