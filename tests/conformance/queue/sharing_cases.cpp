// Goal: members share the work of their group, groups share nothing, and each key keeps its order,
// whoever comes and goes.
// Method: several publishers and members at once; each member writes down what it was given.
#include <utility>

#include "core/runtime/scope.hpp"
#include "tests/conformance/queue/cases.hpp"

namespace rushproof::conformance {
namespace {

using std::chrono::milliseconds;

TEST_P(QueueConformance, EachKeyKeepsItsOrder) {
    run([&]() -> Task<void> {
        constexpr int keys = 6;
        constexpr int each = 15;
        const auto queue = co_await open();
        if (!queue->features().keeps_key_order) { co_return; }
        const auto first = co_await join(*queue);
        const auto second = co_await join(*queue);
        const auto third = co_await join(*queue);
        Journal journal;
        int deliveries = 0;
        Scope scope(spawner());
        for (int key = 0; key < keys; ++key) {
            scope.start("publisher", publish_key(*queue, key, each));
        }
        scope.start("first", work(*first, journal, keys * each, 1, deliveries));
        scope.start("second", work(*second, journal, keys * each, 4, deliveries));
        scope.start("third", work(*third, journal, keys * each, 50, deliveries));
        co_await scope.join();
        for (int key = 0; key < keys; ++key) { EXPECT_EQ(journal.of(key), in_order(key, each)); }
        const auto left = co_await unfinished_becomes(*queue, 0);
        EXPECT_EQ(left, 0);
    });
}

TEST_P(QueueConformance, AKeyKeepsItsOrderWhenItsMemberGoes) {
    if (copies() > 1) { GTEST_SKIP() << "what is left differs between its queues"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        if (!queue->features().keeps_key_order) { co_return; }
        auto first = co_await join(*queue);
        co_await publish_key(*queue, 0, 6);
        const auto held = co_await take(*first, 3);
        EXPECT_EQ(ids_of(held), in_order(0, 3));
        const std::vector<Delivery> one(held.begin(), held.begin() + 1);
        co_await acknowledge(*first, one);
        first.reset();
        const auto second = co_await join(*queue);
        Ids again = ids_of(co_await take(*second, 5));
        std::erase(again, id_name(0, 0));
        Ids expected = in_order(0, 6);
        expected.erase(expected.begin());
        EXPECT_EQ(again, expected);
    });
}

TEST_P(QueueConformance, AKeyIsOneMembersAtATime) {
    if (copies() > 1) { GTEST_SKIP() << "each of its queues has a member of its own"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        if (!queue->features().keeps_key_order) { co_return; }
        const auto first = co_await join(*queue);
        const auto second = co_await join(*queue);
        co_await publish_key(*queue, 0, 1);
        // Whoever gets it keeps the key.
        auto held = co_await first->next(within(traits().quiet), 1);
        Consumer* holder = first.get();
        Consumer* other = second.get();
        if (held && held->empty()) {
            std::swap(holder, other);
            held = co_await holder->next(patient(), 1);
        }
        EXPECT_TRUE(held.has_value() && held->size() == 1u);
        co_await publish(*queue, message(id_name(0, 1), key_name(0)));
        const Ids more = co_await surplus(*other);
        EXPECT_EQ(more, Ids{});
        const auto later = co_await take(*holder, 1);
        EXPECT_EQ(ids_of(later), Ids{id_name(0, 1)});
    });
}

TEST_P(QueueConformance, MembersShareTheWork) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto other_queue = co_await open();
        const auto first = co_await join(*queue);
        const auto second = co_await join(*other_queue);
        Journal journal;
        int of_first = 0;
        int of_second = 0;
        std::size_t published = 0;
        bool done = false;
        const auto all = [&] { return static_cast<int>(published) * traits().copies; };
        auto work_until_done = [&](Consumer& consumer, int& count) -> Task<void> {
            const Context context = patient();
            while (!(done && journal.size() == published && of_first + of_second >= all()) &&
                   clock().monotonic() < context.deadline) {
                const auto next = co_await consumer.next(within(traits().quiet), 1);
                EXPECT_TRUE(next.has_value());
                if (!next) { co_return; }
                for (const Delivery& delivery : *next) { journal.add(delivery.message); }
                count += static_cast<int>(next->size());
                co_await pause(milliseconds(5));
                if (!next->empty()) { co_await acknowledge(consumer, *next); }
            }
        };
        Scope scope(spawner());
        scope.start("first", work_until_done(*first, of_first));
        scope.start("second", work_until_done(*second, of_second));
        const Context context = patient();
        while ((published < 40 || of_first == 0 || of_second == 0) &&
               clock().monotonic() < context.deadline) {
            co_await pause(milliseconds(1));  // faster than one member works
            // The second may take long to get its share; what waits then has to be worked off.
            if (published - journal.size() >= 40) { continue; }
            const int number = static_cast<int>(published++);
            co_await publish(*queue, message("id-" + std::to_string(number), key_name(number)));
        }
        done = true;
        co_await scope.join();
        EXPECT_GT(of_first, 0);
        EXPECT_GT(of_second, 0);
        EXPECT_EQ(journal.size(), published);
        EXPECT_LT(of_first + of_second, all() * 3 / 2);
    });
}

TEST_P(QueueConformance, EachGroupGetsEverything) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto one = co_await join(*queue, "one");
        const auto other = co_await join(*queue, "other");
        co_await publish_key(*queue, 0, 5);
        const auto of_one = co_await take(*one, 5);
        EXPECT_EQ(ids_of(of_one), in_order(0, 5));
        co_await acknowledge(*one, of_one);
        const auto left_of_one = co_await unfinished_becomes(*queue, 0, "one");
        EXPECT_EQ(left_of_one, 0);
        const auto left_of_other = co_await unfinished_becomes(*queue, 5, "other");
        EXPECT_EQ(left_of_other, 5);
        const auto of_other = co_await take(*other, 5);
        EXPECT_EQ(ids_of(of_other), in_order(0, 5));
        co_await acknowledge(*other, of_other);
        const auto left = co_await unfinished_becomes(*queue, 0, "other");
        EXPECT_EQ(left, 0);
    });
}

TEST_P(QueueConformance, WhatIsHeldStaysItsOwn) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto first = co_await join(*queue);
        const auto second = co_await join(*queue);
        for (int key = 0; key < 8; ++key) { co_await publish_key(*queue, key, 1); }
        Journal journal;
        const Context context = patient();
        std::size_t deliveries = 0;
        while (deliveries < 8 * copies() && clock().monotonic() < context.deadline) {
            for (Consumer* consumer : {first.get(), second.get()}) {
                const auto next = co_await consumer->next(within(traits().quiet), 2);
                EXPECT_TRUE(next.has_value());
                if (!next) { co_return; }
                for (const Delivery& delivery : *next) { journal.add(delivery.message); }
                deliveries += next->size();
            }
        }
        EXPECT_EQ(journal.size(), 8u);
        const Ids more = co_await surplus(*first);
        EXPECT_EQ(more, Ids{});
        const Ids even_more = co_await surplus(*second);
        EXPECT_EQ(even_more, Ids{});
    });
}

TEST_P(QueueConformance, AcceptsManyAtOnce) {
    run([&]() -> Task<void> {
        constexpr int count = 100;
        const auto queue = co_await open();
        const auto capacity = (co_await stats(*queue)).capacity;
        const auto consumer = co_await join(*queue);
        Journal journal;
        int deliveries = 0;
        Scope scope(spawner());
        auto publish_one = [&](int number) -> Task<void> {
            const Message mine = message("id-" + std::to_string(number), key_name(number % 7));
            const Context context = patient();
            while (clock().monotonic() < context.deadline) {
                const std::string answer = co_await try_publish(*queue, mine);
                if (answer == "ok") { co_return; }
                EXPECT_EQ(answer, "retryable queue-full");
                EXPECT_TRUE(capacity.has_value());
                co_await pause(milliseconds(5));
            }
            ADD_FAILURE() << "never accepted: " << mine.id;
        };
        for (int number = 0; number < count; ++number) {
            scope.start("publisher", publish_one(number));
        }
        scope.start("worker", work(*consumer, journal, count, 20, deliveries));
        co_await scope.join();
        EXPECT_EQ(journal.size(), static_cast<std::size_t>(count));
        EXPECT_EQ(deliveries, count * traits().copies);
        const auto left = co_await unfinished_becomes(*queue, 0);
        EXPECT_EQ(left, 0);
    });
}

}  // namespace
}  // namespace rushproof::conformance
