// One suite that every provider of MessageQueue passes.  README.md says how to put it on one.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/conformance/queue/bench.hpp"

namespace rushproof::conformance {

using Ids = std::vector<std::string>;

Message message(std::string id, std::string key = {});
// Without repeats, in order of first delivery.
Ids ids_of(const std::vector<Delivery>& deliveries);
std::vector<std::uint64_t> numbers_of(const std::vector<Delivery>& deliveries);

// Key number `key`, and the id of its message number `number`.
std::string key_name(int key);
std::string id_name(int key, int number);
// Of a key's first messages.
Ids in_order(int key, int count);

// Messages in the order in which they were first delivered, by key.
class Journal {
public:
    void add(const Message& message) {
        if (seen_.insert(message.id).second) { by_key_[message.key].push_back(message.id); }
    }
    std::size_t size() const { return seen_.size(); }
    Ids of(int key) const;

private:
    std::set<std::string> seen_;
    std::map<std::string, Ids> by_key_;
};

class QueueConformance : public testing::TestWithParam<QueueProvider> {
public:
    void SetUp() override;

    // Runs a case, which is a coroutine without parameters.
    template <class Case>
    void run(Case test) {
        bench_->run(test());
    }

    const QueueTraits& traits() const { return traits_; }
    std::size_t copies() const { return static_cast<std::size_t>(traits_.copies); }
    Clock& clock() const { return bench_->clock(); }
    Spawner& spawner() const { return bench_->spawner(); }
    QueueBench& bench() const { return *bench_; }
    Context within(Duration time) const { return Context(clock().monotonic() + time); }
    Context patient() const { return within(traits_.patience); }

    // These throw when they fail: the case cannot go on.
    Task<std::shared_ptr<MessageQueue>> open();
    Task<std::unique_ptr<Consumer>> join(MessageQueue& queue, std::string group = "workers");
    Task<void> publish(MessageQueue& queue, Message published);  // waits while it is full
    // id-0, id-1 ... without a key.
    Task<void> publish_some(MessageQueue& queue, int count);
    // The first `count` messages of a key, one after the other.
    Task<void> publish_key(MessageQueue& queue, int key, int count);
    Task<void> acknowledge(Consumer& consumer, std::vector<Delivery> deliveries);
    Task<QueueStats> stats(MessageQueue& queue, std::string group = "workers");

    // Deliveries until there are `count` different messages, in all their copies, or patience ends.
    Task<std::vector<Delivery>> take(Consumer& consumer, std::size_t count);
    // What comes although nothing should.
    Task<Ids> surplus(Consumer& consumer);
    // The code of the error, or "ok".
    Task<std::string> try_publish(MessageQueue& queue, Message published);
    // Waits until that many messages, in all their copies, are unfinished; returns what it is.
    Task<std::int64_t> unfinished_becomes(MessageQueue& queue, std::int64_t count,
                                          std::string group = "workers");
    Task<void> pause(Duration time);
    // A member that takes and acknowledges until the journal knows `wanted` messages, or patience
    // ends.
    Task<void> work(Consumer& consumer, Journal& journal, std::size_t wanted, std::size_t limit,
                    int& deliveries);

private:
    std::unique_ptr<QueueBench> bench_;
    QueueTraits traits_;
};

}  // namespace rushproof::conformance
