#include "tests/conformance/queue/cases.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rushproof::conformance {

namespace {

template <class T>
T must(Result<T> result, const std::string& what) {
    if (!result) {
        throw std::runtime_error(what + ": " + result.error().code() + ": " +
                                 result.error().message());
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(result); }
}

}  // namespace

Message message(std::string id, std::string key) {
    std::string body = "body of " + id;
    return {std::move(id), std::move(key), {}, std::move(body)};
}

Ids ids_of(const std::vector<Delivery>& deliveries) {
    Ids ids;
    for (const Delivery& delivery : deliveries) {
        if (std::find(ids.begin(), ids.end(), delivery.message.id) == ids.end()) {
            ids.push_back(delivery.message.id);
        }
    }
    return ids;
}

std::vector<std::uint64_t> numbers_of(const std::vector<Delivery>& deliveries) {
    std::vector<std::uint64_t> numbers;
    for (const Delivery& delivery : deliveries) { numbers.push_back(delivery.number); }
    return numbers;
}

std::string key_name(int key) { return "key-" + std::to_string(key); }

std::string id_name(int key, int number) { return key_name(key) + ":" + std::to_string(number); }

Ids in_order(int key, int count) {
    Ids ids;
    for (int number = 0; number < count; ++number) { ids.push_back(id_name(key, number)); }
    return ids;
}

Ids Journal::of(int key) const {
    const auto found = by_key_.find(key_name(key));
    return found == by_key_.end() ? Ids{} : found->second;
}

void QueueConformance::SetUp() {
    bench_ = GetParam().make();
    if (!bench_) { GTEST_SKIP() << GetParam().name << " is not to be had here"; }
    traits_ = bench_->traits();
}

Task<std::shared_ptr<MessageQueue>> QueueConformance::open() {
    co_return must(co_await bench_->open(), "open");
}

Task<std::unique_ptr<Consumer>> QueueConformance::join(MessageQueue& queue, std::string group) {
    co_return must(co_await queue.join(patient(), std::move(group)), "join");
}

Task<void> QueueConformance::publish(MessageQueue& queue, Message published) {
    const Context context = patient();
    auto answer = co_await queue.publish(context, published);
    while (!answer && answer.error().code() == "queue-full" &&
           clock().monotonic() < context.deadline) {
        co_await pause(std::chrono::milliseconds(5));
        answer = co_await queue.publish(context, published);
    }
    must(std::move(answer), "publish");
}

Task<void> QueueConformance::publish_some(MessageQueue& queue, int count) {
    for (int i = 0; i < count; ++i) { co_await publish(queue, message("id-" + std::to_string(i))); }
}

Task<void> QueueConformance::publish_key(MessageQueue& queue, int key, int count) {
    for (int number = 0; number < count; ++number) {
        Message next = message(id_name(key, number), key_name(key));
        co_await publish(queue, std::move(next));
    }
}

Task<void> QueueConformance::acknowledge(Consumer& consumer, std::vector<Delivery> deliveries) {
    must(co_await consumer.acknowledge(patient(), numbers_of(deliveries)), "acknowledge");
}

Task<QueueStats> QueueConformance::stats(MessageQueue& queue, std::string group) {
    co_return must(co_await queue.stats(patient(), std::move(group)), "stats");
}

Task<std::vector<Delivery>> QueueConformance::take(Consumer& consumer, std::size_t count) {
    std::vector<Delivery> taken;
    const Context context = patient();
    const std::size_t wanted = count * static_cast<std::size_t>(traits_.copies);
    while ((ids_of(taken).size() < count || taken.size() < wanted) &&
           clock().monotonic() < context.deadline) {
        const std::size_t limit = taken.size() < wanted ? wanted - taken.size() : 1;
        auto next = must(co_await consumer.next(context, limit), "next");
        std::move(next.begin(), next.end(), std::back_inserter(taken));
    }
    co_return taken;
}

Task<Ids> QueueConformance::surplus(Consumer& consumer) {
    auto found = must(co_await consumer.next(within(traits_.quiet), 100), "next");
    co_return ids_of(found);
}

Task<std::string> QueueConformance::try_publish(MessageQueue& queue, Message published) {
    const auto result = co_await queue.publish(patient(), std::move(published));
    co_return result ? "ok"
                     : std::string(to_string(result.error().kind())) + ' ' + result.error().code();
}

Task<std::int64_t> QueueConformance::unfinished_becomes(MessageQueue& queue, std::int64_t count,
                                                        std::string group) {
    const MonotonicTime end = clock().monotonic() + traits_.patience;
    while (true) {
        const QueueStats now = co_await stats(queue, group);
        if (now.unfinished == count * traits_.copies || clock().monotonic() >= end) {
            co_return now.unfinished / traits_.copies;
        }
        co_await pause(std::chrono::milliseconds(20));
    }
}

Task<void> QueueConformance::pause(Duration time) { co_await sleep_for(clock(), time); }

Task<void> QueueConformance::work(Consumer& consumer, Journal& journal, std::size_t wanted,
                                  std::size_t limit, int& deliveries) {
    const Context context = patient();
    const int all = static_cast<int>(wanted) * traits_.copies;
    while ((journal.size() < wanted || deliveries < all) &&
           clock().monotonic() < context.deadline) {
        const auto next = co_await consumer.next(within(traits_.quiet), limit);
        EXPECT_TRUE(next.has_value());
        if (!next) { co_return; }
        for (const Delivery& delivery : *next) { journal.add(delivery.message); }
        deliveries += static_cast<int>(next->size());
        co_await pause(std::chrono::milliseconds(2));
        if (!next->empty()) { co_await acknowledge(consumer, *next); }
    }
}

}  // namespace rushproof::conformance
