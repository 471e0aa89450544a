#include "core/runtime/memory_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <set>
#include <utility>

#include "core/runtime/message_size.hpp"
#include "core/runtime/wakeup.hpp"

namespace rushproof {

namespace {

using Sequence = std::uint64_t;  // the order in which messages were accepted

// The messages of one key in one group, or all that have no key.
struct Lane {
    std::map<Sequence, std::int64_t> waiting;  // and how often each was delivered
    std::size_t held = 0;                      // delivered, and not acknowledged
    // While something waits, the lane stands here under its first message.
    std::map<Sequence, Lane*>* heads = nullptr;

    void withdraw() {
        if (!waiting.empty()) { heads->erase(waiting.begin()->first); }
    }
    void offer() {
        if (!waiting.empty()) { heads->emplace(waiting.begin()->first, this); }
    }
    void move_to(std::map<Sequence, Lane*>& other) {
        withdraw();
        heads = &other;
        offer();
    }
};

using Heads = std::map<Sequence, Lane*>;

}  // namespace

struct MemoryQueue::Member {
    struct Held {
        std::string key;
        Sequence sequence;
        std::int64_t attempt;
    };
    std::map<std::uint64_t, Held> held;
    Heads heads;  // of the lanes that it owns
    Wakeup arrival;
};

struct MemoryQueue::Group {
    std::map<std::string, Lane> lanes;
    Heads heads;  // of the lanes that no member owns
    std::vector<Member*> members;
    std::int64_t unfinished = 0;

    void wake() {
        for (Member* member : members) { member->arrival.wake(); }
    }
    Lane& add(const std::string& key, Sequence sequence, std::int64_t attempts) {
        Lane& lane = lanes[key];
        if (lane.heads == nullptr) { lane.heads = &heads; }
        lane.withdraw();
        lane.waiting.emplace(sequence, attempts);
        lane.offer();
        return lane;
    }
};

class MemoryQueue::State {
public:
    State(Environment& environment, MemoryQueueOptions options)
        : clock(environment.clock),
          executor_(environment.spawner.executor("memory_queue")),
          options_(options) {}

    Result<void> check(const Message& message) const {
        return check_size(message, options_.message_bytes);
    }

    Result<void> publish(Message message) {
        RP_CHECK(check(message));
        if (ids_.contains(message.id)) { return {}; }
        if (kept_.size() >= options_.capacity) {
            return failure(ErrorKind::retryable, "queue-full",
                           "the queue keeps " + std::to_string(kept_.size()) + " messages");
        }
        ++published_;
        const Sequence sequence = ++last_sequence_;
        ids_.insert(message.id);
        const Kept& kept = kept_[sequence] = {std::move(message), groups_.size()};
        for (const auto& [name, group] : groups_) {
            add(*group, kept.message, sequence);
            group->wake();
        }
        return {};
    }

    std::shared_ptr<Group> join(const std::string& name, Member& member) {
        std::shared_ptr<Group>& group = groups_[name];
        if (!group) {
            group = std::make_shared<Group>();
            for (auto& [sequence, kept] : kept_) {
                ++kept.groups;
                add(*group, kept.message, sequence);
            }
        }
        group->members.push_back(&member);
        return group;
    }

    std::vector<Delivery> take(Group& group, Member& member, std::size_t limit) {
        std::vector<Delivery> taken;
        while (taken.size() < limit && !(group.heads.empty() && member.heads.empty())) {
            taken.push_back(take_one(group, member));
        }
        delivered_ += taken.size();
        return taken;
    }

    // False: the member does not hold it.
    bool acknowledge(Group& group, Member& member, std::uint64_t number) {
        const auto held = member.held.extract(number);
        if (held.empty()) { return false; }
        const auto lane = group.lanes.find(held.mapped().key);
        --group.unfinished;
        forget(held.mapped().sequence);
        if (--lane->second.held > 0) { return true; }
        if (lane->second.waiting.empty()) {
            group.lanes.erase(lane);
        } else {
            lane->second.move_to(group.heads);
            group.wake();
        }
        return true;
    }

    // A destructor may call it.
    void leave(const std::shared_ptr<Group>& group, Member& member) {
        for (const auto& [number, held] : member.held) {
            Lane& lane = group->add(held.key, held.sequence, held.attempt);
            if (--lane.held == 0) { lane.move_to(group->heads); }
        }
        member.held.clear();
        std::erase(group->members, &member);
        asio::post(executor_, [weak = std::weak_ptr<Group>(group)] {
            if (const auto alive = weak.lock()) { alive->wake(); }
        });
    }

    QueueStats stats(const std::string& name) const {
        const auto group = groups_.find(name);
        QueueStats stats;
        stats.published = published_;
        stats.delivered = delivered_;
        stats.unfinished = group == groups_.end() ? static_cast<std::int64_t>(kept_.size())
                                                  : group->second->unfinished;
        stats.size = stats.unfinished;
        stats.capacity = static_cast<std::int64_t>(options_.capacity);
        return stats;
    }

    Clock& clock;

private:
    struct Kept {
        Message message;
        std::size_t groups = 0;  // that have not acknowledged it
    };

    static void add(Group& group, const Message& message, Sequence sequence) {
        ++group.unfinished;
        group.add(message.key, sequence, 0);
    }

    Delivery take_one(Group& group, Member& member) {
        const bool of_its_own =
            group.heads.empty() ||
            (!member.heads.empty() && member.heads.begin()->first < group.heads.begin()->first);
        Lane& lane = *(of_its_own ? member.heads : group.heads).begin()->second;
        lane.withdraw();
        const auto first = lane.waiting.extract(lane.waiting.begin());
        const Message& message = kept_.at(first.key()).message;
        ++lane.held;
        if (!message.key.empty()) { lane.heads = &member.heads; }
        lane.offer();
        Delivery delivery{message, ++last_number_, first.mapped() + 1, "memory"};
        member.held.emplace(delivery.number,
                            Member::Held{message.key, first.key(), delivery.attempt});
        return delivery;
    }

    void forget(Sequence sequence) {
        const auto kept = kept_.find(sequence);
        if (--kept->second.groups > 0) { return; }
        ids_.erase(kept->second.message.id);
        kept_.erase(kept);
    }

    asio::any_io_executor executor_;
    MemoryQueueOptions options_;
    std::map<Sequence, Kept> kept_;
    std::set<std::string> ids_;  // of what is kept
    std::map<std::string, std::shared_ptr<Group>> groups_;
    Sequence last_sequence_ = 0;
    std::uint64_t last_number_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t delivered_ = 0;
};

class MemoryQueue::Place final : public Consumer {
public:
    Place(std::shared_ptr<State> state, const std::string& group)
        : state_(std::move(state)), group_(state_->join(group, member_)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() override {
        if (!closed_) { state_->leave(group_, member_); }
    }

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        while (!closed_) {
            std::vector<Delivery> taken = state_->take(*group_, member_, limit);
            if (!taken.empty() || state_->clock.monotonic() >= context.deadline) {
                co_return taken;
            }
            co_await member_.arrival.wait_until(state_->clock, context.deadline);
        }
        co_return failure(closed());
    }

    Task<Result<void>> acknowledge(Context, std::vector<std::uint64_t> numbers) override {
        if (closed_) { co_return failure(closed()); }
        bool all = true;
        for (const std::uint64_t number : numbers) {
            all = state_->acknowledge(*group_, member_, number) && all;
        }
        if (all) { co_return Result<void>(); }
        co_return failure(ErrorKind::permanent, "unknown-delivery",
                          "a number that this consumer does not hold");
    }

    Task<void> close() override {
        if (std::exchange(closed_, true)) { co_return; }
        state_->leave(group_, member_);
        member_.arrival.wake();
    }

private:
    static Error closed() { return {ErrorKind::retryable, "closed", "the consumer was closed"}; }

    std::shared_ptr<State> state_;
    Member member_;
    std::shared_ptr<Group> group_;
    bool closed_ = false;
};

MemoryQueue::MemoryQueue(Environment& environment, MemoryQueueOptions options)
    : state_(std::make_shared<State>(environment, options)) {}

MemoryQueue::~MemoryQueue() = default;

QueueFeatures MemoryQueue::features() const {
    QueueFeatures features;
    features.counts_attempts = true;
    return features;
}

Result<void> MemoryQueue::check(const Message& message) const { return state_->check(message); }

Task<Result<void>> MemoryQueue::publish(Context, Message message) {
    co_return state_->publish(std::move(message));
}

Task<Result<std::unique_ptr<Consumer>>> MemoryQueue::join(Context, std::string group) {
    std::unique_ptr<Consumer> consumer = std::make_unique<Place>(state_, group);
    co_return consumer;
}

Task<Result<QueueStats>> MemoryQueue::stats(Context, std::string group) {
    co_return state_->stats(group);
}

}  // namespace rushproof
