// Goal: due things come out by time, then in the order of adding, and a removed one is gone at once
// with what it held.  Method: random adds and removes against a sorted multimap.
#include "simulator/world/timer_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/base/keyed_random.hpp"

namespace rushproof::simulator {
namespace {

TEST(TimerQueue, AgreesWithASortedMap) {
    RandomStream random = keyed_stream(1, "timer-queue");
    TimerQueue<std::uint64_t> queue;
    std::map<std::pair<std::int64_t, std::uint64_t>, TimerId> twin;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        const std::uint64_t action = random.below(5);
        if (action < 3) {
            const std::int64_t at = random.between(std::int64_t{0}, std::int64_t{50});
            twin.emplace(std::pair(at, i), queue.add(at, i));
        } else if (!twin.empty()) {
            auto victim = twin.begin();
            if (action == 3) {
                std::advance(victim, static_cast<std::ptrdiff_t>(random.below(twin.size())));
                EXPECT_EQ(queue.remove(victim->second), victim->first.second);
                EXPECT_EQ(queue.remove(victim->second), std::nullopt);
            } else {
                EXPECT_EQ(queue.pop(), victim->first.second);
                EXPECT_EQ(queue.remove(victim->second), std::nullopt);
            }
            twin.erase(victim);
        }
        ASSERT_EQ(queue.size(), twin.size());
        ASSERT_EQ(queue.next(), twin.empty() ? queue.never : twin.begin()->first.first);
    }
}

TEST(TimerQueue, RemovingFreesThePayload) {
    TimerQueue<std::shared_ptr<int>> queue;
    const auto payload = std::make_shared<int>(1);
    const TimerId id = queue.add(10, payload);
    EXPECT_EQ(payload.use_count(), 2);
    queue.remove(id);
    EXPECT_EQ(payload.use_count(), 1);
}

}  // namespace
}  // namespace rushproof::simulator
