#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "simulator/world/kafka_topic.hpp"

namespace rushproof::simulator {

namespace {

constexpr Duration call_within = std::chrono::seconds(3);
constexpr Duration fetch_wait = std::chrono::milliseconds(500);
constexpr Duration retry_after = std::chrono::milliseconds(200);

// The broker said nothing.
bool is_silence(const Error& error) {
    return error.code() == "unavailable" || error.kind() == ErrorKind::unknown_outcome;
}

Error unavailable_commit() {
    return {ErrorKind::retryable, "unavailable",
            "the offset was not committed; what it stands for may be delivered again"};
}

class KafkaMember : public std::enable_shared_from_this<KafkaMember> {
public:
    using Self = std::shared_ptr<KafkaMember>;

    KafkaMember(std::shared_ptr<KafkaTopic> topic, std::string group)
        : topic_(std::move(topic)),
          name_{.group = std::move(group), .topic = topic_->name},
          heard_(topic_->access.now()),
          messages_(topic_->access.host()),
          work_(topic_->access.host()) {}

    void start() {
        topic_->access.host().spawn("kafka member", attend(shared_from_this()));
        topic_->access.host().spawn("kafka fetch", fetch_for_ever(shared_from_this()));
    }
    void close();

    static Task<Result<std::vector<Delivery>>> next(Self self, MonotonicTime deadline,
                                                    std::size_t limit);
    static Task<Result<void>> acknowledge(Self self, MonotonicTime deadline,
                                          std::vector<std::uint64_t> numbers);

private:
    struct Owned {
        std::int64_t next = 0;              // to fetch
        std::deque<KafkaFetched> buffered;  // not handed out
        std::set<std::int64_t> held;        // handed out and not acknowledged
        std::int64_t done = 0;              // everything before is acknowledged, or was not ours
        std::int64_t committed = 0;
        bool leaving = false;  // given up once nothing of it is held
    };
    struct Held {
        std::int32_t partition;
        std::int64_t offset;
        std::uint64_t membership;
    };

    static Task<void> attend(Self self);
    static Task<void> fetch_for_ever(Self self);
    static Task<Result<void>> join(Self self);
    static Task<Result<void>> beat(Self self);
    static Task<Result<void>> fetch(Self self);
    static Task<Result<void>> commit(Self self, MonotonicTime deadline);
    static Task<Result<void>> commit_in_generation(Self self, MonotonicTime deadline);
    std::vector<Delivery> take(std::size_t limit);
    KafkaOffsets open_offsets() const;
    bool has_messages() const;
    // True when partitions that are to be given up can be.
    bool may_give_up() const;
    // Nobody's member any more: what it holds is delivered to others.
    void lose_everything();
    void look_at(const Error& error);

    std::shared_ptr<KafkaTopic> topic_;
    KafkaGroupName name_;
    std::string member_;
    std::uint64_t membership_ = 0;  // counts them, so that nothing is taken for a later one's
    std::int32_t generation_ = 0;
    std::map<std::int32_t, Owned> owned_;
    bool must_join_ = true;
    bool joining_ = false;
    bool closed_ = false;
    bool reachable_ = true;
    std::map<std::uint64_t, Held> held_;
    std::uint64_t last_number_ = 0;
    std::int32_t last_partition_ = -1;
    MonotonicTime heard_;  // of the broker
    HostSignal messages_;
    HostSignal work_;
};

void KafkaMember::close() {
    if (std::exchange(closed_, true)) { return; }
    auto deliver = [&server = topic_->access.server(), name = name_, member = member_] {
        server.leave(name, member);
    };
    if (!member_.empty()) {
        topic_->access.tell("kafka.leave", hash64(member_), std::move(deliver));
    }
    owned_.clear();
    messages_.notify();
    work_.notify();
}

void KafkaMember::lose_everything() {
    owned_.clear();
    member_.clear();
    must_join_ = true;
    ++membership_;
    work_.notify();
}

void KafkaMember::look_at(const Error& error) {
    if (error.code() == "unknown-member" || error.code() == "illegal-generation") {
        lose_everything();
    } else if (error.code() == "rebalance-in-progress") {
        must_join_ = true;
    }
}

Task<void> KafkaMember::attend(Self self) {
    const KafkaAccess& access = self->topic_->access;
    while (!self->closed_) {
        Result<void> done;
        if (self->must_join_ || self->may_give_up()) {
            self->joining_ = true;
            done = co_await join(self);
            self->joining_ = false;
            self->work_.notify();
        } else {
            done = co_await beat(self);
        }
        if (self->closed_) { co_return; }
        self->reachable_ = done || !is_silence(done.error());
        if (self->reachable_) { self->heard_ = access.now(); }
        if (!done) { self->look_at(done.error()); }
        // The group has given it up by now, and others have what it had.
        const bool over = access.now() - self->heard_ >= self->topic_->options.session_timeout;
        if (over && !self->member_.empty()) { self->lose_everything(); }
        if (self->must_join_) {
            if (!done) { co_await sleep_for(access.clock(), retry_after); }
            continue;
        }
        const MonotonicTime next = access.now() + self->topic_->options.heartbeat;
        while (!self->closed_ && !self->must_join_ && !self->may_give_up() && access.now() < next) {
            co_await HostSignal::wait(self->work_, next);
        }
    }
}

bool KafkaMember::may_give_up() const {
    return std::any_of(owned_.begin(), owned_.end(), [](const auto& partition) {
        return partition.second.leaving && partition.second.held.empty();
    });
}

Task<Result<void>> KafkaMember::join(Self self) {
    const KafkaAccess& access = self->topic_->access;
    if (self->may_give_up()) {
        // The next owner begins at what is committed.
        co_await commit(self, access.now() + call_within);
        if (self->closed_) { co_return Result<void>(); }
    }
    std::set<std::int32_t> keeps;
    for (auto it = self->owned_.begin(); it != self->owned_.end();) {
        if (it->second.leaving && it->second.held.empty()) {
            it = self->owned_.erase(it);
        } else {
            keeps.insert((it++)->first);
        }
    }
    self->must_join_ = false;
    KafkaMemberOptions options;
    options.session_timeout = self->topic_->options.session_timeout;
    options.rebalance_timeout = self->topic_->options.rebalance_timeout;
    // No longer than the broker keeps a rebalance open.
    const Duration wait = options.rebalance_timeout;
    auto serve = [&server = access.server(), name = self->name_, member = self->member_, options,
                  keeps, wait] {
        const MonotonicTime until = server.machine().host()->clock().monotonic() + wait;
        return KafkaServer::join(server, name, member, options, keeps, until);
    };
    const std::uint64_t membership = self->membership_;
    const auto joined = co_await access.ask<KafkaJoined>(
        "kafka.join", hash64(self->member_), access.now() + wait + call_within, std::move(serve));
    if (self->closed_ || self->membership_ != membership) { co_return Result<void>(); }
    if (!joined) {
        self->must_join_ = true;
        co_return failure(joined.error());
    }
    self->member_ = joined->member;
    self->generation_ = joined->assignment.generation;
    for (auto& [number, partition] : self->owned_) {
        if (joined->assignment.partitions.contains(number)) { continue; }
        // What is held is finished first; what was not handed out is the next owner's.
        partition.leaving = true;
        partition.next -= static_cast<std::int64_t>(partition.buffered.size());
        partition.buffered.clear();
    }
    std::vector<std::int32_t> added;
    for (const std::int32_t number : joined->assignment.partitions) {
        const auto [found, is_new] = self->owned_.try_emplace(number);
        found->second.leaving = false;
        if (is_new) { added.push_back(number); }
    }
    if (added.empty()) { co_return Result<void>(); }
    auto ask_committed = [&server = access.server(), name = self->name_] {
        return KafkaServer::committed(server, name);
    };
    const auto committed = co_await access.ask<KafkaCommitted>(
        "kafka.committed", 0, access.now() + call_within, std::move(ask_committed));
    if (self->closed_ || self->membership_ != membership) { co_return Result<void>(); }
    for (const std::int32_t number : added) {
        if (!committed) {
            self->owned_.erase(number);
            continue;
        }
        const auto found = committed->offsets.find(number);
        Owned& partition = self->owned_[number];
        partition.next = found == committed->offsets.end() ? 0 : found->second;
        partition.done = partition.next;
        partition.committed = partition.next;
    }
    self->work_.notify();
    if (committed) { co_return Result<void>(); }
    self->must_join_ = true;
    co_return failure(committed.error());
}

Task<Result<void>> KafkaMember::beat(Self self) {
    const KafkaAccess& access = self->topic_->access;
    auto serve = [&server = access.server(), name = self->name_, member = self->member_,
                  generation = self->generation_] {
        return KafkaServer::heartbeat(server, name, member, generation);
    };
    const std::uint64_t membership = self->membership_;
    const auto alive = co_await access.ask<std::int64_t>(
        "kafka.heartbeat", hash64(self->member_), access.now() + call_within, std::move(serve));
    if (alive || self->membership_ != membership) { co_return Result<void>(); }
    co_return failure(alive.error());
}

KafkaOffsets KafkaMember::open_offsets() const {
    KafkaOffsets offsets;
    for (const auto& [number, partition] : owned_) {
        const bool full = partition.buffered.size() >= topic_->options.prefetch / 2;
        if (!partition.leaving && !full) { offsets.emplace(number, partition.next); }
    }
    return offsets;
}

Task<void> KafkaMember::fetch_for_ever(Self self) {
    const KafkaAccess& access = self->topic_->access;
    while (!self->closed_) {
        if (self->member_.empty() || self->open_offsets().empty()) {
            co_await HostSignal::wait(self->work_, access.now() + fetch_wait);
            continue;
        }
        const auto fetched = co_await fetch(self);
        if (!fetched && !self->closed_) { co_await sleep_for(access.clock(), retry_after); }
    }
}

Task<Result<void>> KafkaMember::fetch(Self self) {
    const KafkaAccess& access = self->topic_->access;
    const KafkaOffsets offsets = self->open_offsets();
    auto serve = [&server = access.server(), client = access.client(), topic = self->name_.topic,
                  offsets, limit = self->topic_->options.prefetch / 2] {
        const MonotonicTime until = server.machine().host()->clock().monotonic() + fetch_wait;
        return KafkaServer::fetch(server, client, topic, offsets, limit, until);
    };
    std::uint64_t payload = offsets.size();
    for (const auto& [partition, offset] : offsets) {
        payload = combine64(payload, static_cast<std::uint64_t>(offset));
    }
    const std::uint64_t membership = self->membership_;
    const auto fetched = co_await access.ask<KafkaRecords>(
        "kafka.fetch", payload, access.now() + call_within, std::move(serve));
    if (self->closed_ || self->membership_ != membership) { co_return Result<void>(); }
    if (!fetched) {
        // The log is shorter than it was: begin where it ends, which loses nothing that is there.
        if (fetched.error().code() == "offset-out-of-range") { self->lose_everything(); }
        co_return failure(fetched.error());
    }
    for (const auto& [number, record] : fetched->records) {
        const auto found = self->owned_.find(number);
        if (found == self->owned_.end() || found->second.leaving) { continue; }
        if (found->second.next != record.offset) { continue; }
        found->second.buffered.push_back(record);
        ++found->second.next;
    }
    if (!fetched->records.empty()) { self->messages_.notify(); }
    co_return Result<void>();
}

bool KafkaMember::has_messages() const {
    return std::any_of(owned_.begin(), owned_.end(),
                       [](const auto& partition) { return !partition.second.buffered.empty(); });
}

std::vector<Delivery> KafkaMember::take(std::size_t limit) {
    std::vector<Delivery> taken;
    // From the partition after the last one on, so that none starves.
    std::vector<std::int32_t> order;
    order.reserve(owned_.size());
    for (const auto& [number, partition] : owned_) { order.push_back(number); }
    const auto after = std::upper_bound(order.begin(), order.end(), last_partition_);
    std::rotate(order.begin(), after, order.end());
    for (const std::int32_t number : order) {
        Owned& partition = owned_.find(number)->second;
        while (!partition.buffered.empty() && taken.size() < limit) {
            const KafkaFetched& first = partition.buffered.front();
            Delivery delivery;
            delivery.message = KafkaTopic::from_kafka(*first.record);
            delivery.number = ++last_number_;
            delivery.provider = "kafka";
            held_.emplace(last_number_, Held{number, first.offset, membership_});
            partition.held.insert(first.offset);
            taken.push_back(std::move(delivery));
            partition.buffered.pop_front();
            last_partition_ = number;
        }
    }
    topic_->delivered += taken.size();
    work_.notify();
    return taken;
}

Task<Result<std::vector<Delivery>>> KafkaMember::next(Self self, MonotonicTime deadline,
                                                      std::size_t limit) {
    while (!self->closed_ && !self->has_messages()) {
        if (self->topic_->access.now() >= deadline) {
            if (self->reachable_) { co_return std::vector<Delivery>(); }
            co_return failure(ErrorKind::retryable, "unavailable", "Kafka cannot be reached");
        }
        co_await HostSignal::wait(self->messages_, deadline);
    }
    if (self->closed_) {
        co_return failure(ErrorKind::retryable, "closed", "this consumer has left its group");
    }
    co_return self->take(limit);
}

Task<Result<void>> KafkaMember::acknowledge(Self self, MonotonicTime deadline,
                                            std::vector<std::uint64_t> numbers) {
    bool gone = false;
    bool all_known = true;
    for (const std::uint64_t number : numbers) {
        const auto found = self->held_.find(number);
        if (found == self->held_.end()) {
            all_known = false;
            continue;
        }
        const Held held = found->second;
        self->held_.erase(found);
        const auto partition = self->owned_.find(held.partition);
        const bool ours = held.membership == self->membership_ && partition != self->owned_.end() &&
                          partition->second.held.erase(held.offset) > 0;
        gone |= !ours;
    }
    RP_CO_CHECK(co_await commit_in_generation(self, deadline));
    if (!gone && all_known) { co_return Result<void>(); }
    co_return failure(ErrorKind::permanent, "unknown-delivery",
                      "this member does not own the partition of a message any more");
}

// The broker refuses a commit of an old generation, which one is as soon as a rebalance ends: none
// is sent while this member waits for that, and one that was under way is sent again.
Task<Result<void>> KafkaMember::commit_in_generation(Self self, MonotonicTime deadline) {
    const KafkaAccess& access = self->topic_->access;
    for (;;) {
        while (self->joining_ && !self->closed_ && access.now() < deadline) {
            co_await HostSignal::wait(self->work_, deadline);
        }
        const std::int32_t generation = self->generation_;
        const auto committed = co_await commit(self, deadline);
        const bool was_late = self->joining_ || self->generation_ != generation;
        if (committed || !was_late || self->closed_ || access.now() >= deadline) {
            co_return committed;
        }
    }
}

Task<Result<void>> KafkaMember::commit(Self self, MonotonicTime deadline) {
    const KafkaAccess& access = self->topic_->access;
    KafkaOffsets offsets;
    for (auto& [number, partition] : self->owned_) {
        const auto unread = static_cast<std::int64_t>(partition.buffered.size());
        partition.done = partition.held.empty() ? partition.next - unread : *partition.held.begin();
        if (partition.done > partition.committed) { offsets.emplace(number, partition.done); }
    }
    if (offsets.empty()) { co_return Result<void>(); }
    auto serve = [&server = access.server(), name = self->name_, member = self->member_,
                  generation = self->generation_, offsets] {
        return KafkaServer::commit(server, name, member, generation, offsets);
    };
    std::uint64_t payload = offsets.size();
    for (const auto& [partition, offset] : offsets) {
        payload = combine64(payload, static_cast<std::uint64_t>(offset));
    }
    const std::uint64_t membership = self->membership_;
    const auto committed =
        co_await access.ask<std::int64_t>("kafka.commit", payload, deadline, std::move(serve));
    if (self->closed_ || self->membership_ != membership) {
        if (committed) { co_return Result<void>(); }
        co_return failure(unavailable_commit());
    }
    if (!committed) {
        // A rebalance may have come between: the next commit stands for this one too.  Whether it
        // is a member any more, heartbeats tell.
        self->work_.notify();
        co_return failure(unavailable_commit());
    }
    for (const auto& [number, offset] : offsets) {
        const auto found = self->owned_.find(number);
        if (found == self->owned_.end()) { continue; }
        found->second.committed = std::max(found->second.committed, offset);
    }
    self->work_.notify();
    co_return Result<void>();
}

class SimKafkaConsumer final : public Consumer {
public:
    explicit SimKafkaConsumer(std::shared_ptr<KafkaMember> member) : member_(std::move(member)) {}
    SimKafkaConsumer(const SimKafkaConsumer&) = delete;
    SimKafkaConsumer& operator=(const SimKafkaConsumer&) = delete;
    ~SimKafkaConsumer() override { member_->close(); }

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        return KafkaMember::next(member_, context.deadline, limit);
    }
    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        return KafkaMember::acknowledge(member_, context.deadline, std::move(numbers));
    }
    Task<void> close() override {
        member_->close();
        co_return;
    }

private:
    std::shared_ptr<KafkaMember> member_;
};

}  // namespace

std::unique_ptr<Consumer> start_kafka_consumer(std::shared_ptr<KafkaTopic> topic,
                                               std::string group) {
    auto member = std::make_shared<KafkaMember>(std::move(topic), std::move(group));
    member->start();
    return std::make_unique<SimKafkaConsumer>(std::move(member));
}

}  // namespace rushproof::simulator
