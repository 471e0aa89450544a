// Goal: what is accepted is delivered, unchanged, until it is acknowledged, and not after that.
// Method: few messages and one or two members at a time; where a provider may differ, its features
// and its bench's traits say so.
#include <algorithm>
#include <set>

#include "core/runtime/scope.hpp"
#include "tests/conformance/queue/cases.hpp"

namespace rushproof::conformance {
namespace {

using std::chrono::milliseconds;

Ids sorted(Ids ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

TEST_P(QueueConformance, DeliversWhatItAccepted) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        co_await publish_some(*queue, 5);
        const auto taken = co_await take(*consumer, 5);
        EXPECT_EQ(sorted(ids_of(taken)), (Ids{"id-0", "id-1", "id-2", "id-3", "id-4"}));
        for (const Delivery& delivery : taken) {
            EXPECT_EQ(delivery.message.body, "body of " + delivery.message.id);
            EXPECT_EQ(delivery.attempt, 1);
            EXPECT_FALSE(delivery.provider.empty());
        }
        co_await acknowledge(*consumer, taken);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, DeliversWhatWasPublishedBeforeTheFirstMember) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        co_await publish_some(*queue, 3);
        const auto consumer = co_await join(*queue);
        const auto taken = co_await take(*consumer, 3);
        EXPECT_EQ(sorted(ids_of(taken)), (Ids{"id-0", "id-1", "id-2"}));
    });
}

TEST_P(QueueConformance, CarriesEverythingUnchanged) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        std::string binary;
        for (int i = 0; i < 1024; ++i) { binary += static_cast<char>(i % 256); }
        Message odd{"an id/with: odd characters", std::string(200, 'k'), {}, binary};
        odd.headers.emplace_back("rushproof-kind", "reserve");
        odd.headers.emplace_back("traceparent",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        odd.headers.emplace_back("note",
                                 "Gr\xc3\xbc\xc3\x9f"
                                 "e: a, b; \"c\"");
        Message empty{"empty", "a key. with *, > and /", {}, ""};
        co_await publish(*queue, odd);
        co_await publish(*queue, empty);
        auto taken = co_await take(*consumer, 2);
        EXPECT_EQ(taken.size(), 2 * copies());
        for (Delivery& delivery : taken) {
            const Message& sent = delivery.message.id == "empty" ? empty : odd;
            EXPECT_EQ(delivery.message.id, sent.id);
            EXPECT_EQ(delivery.message.key, sent.key);
            EXPECT_EQ(delivery.message.body, sent.body);
            for (const auto& header : sent.headers) {
                const auto& got = delivery.message.headers;
                EXPECT_EQ(std::count(got.begin(), got.end(), header), 1) << header.first;
            }
            EXPECT_EQ(delivery.message.headers.size(), sent.headers.size());
        }
    });
}

TEST_P(QueueConformance, DeliversAgainWhenItsConsumerCloses) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto first = co_await join(*queue);
        co_await publish_some(*queue, 3);
        const auto held = co_await take(*first, 3);
        co_await first->close();
        const auto second = co_await join(*queue);
        const auto again = co_await take(*second, 3);
        EXPECT_EQ(sorted(ids_of(again)), sorted(ids_of(held)));
        EXPECT_EQ(again.size(), 3 * copies());
        if (queue->features().counts_attempts) {
            for (const Delivery& delivery : again) { EXPECT_EQ(delivery.attempt, 2); }
        }
        co_await acknowledge(*second, again);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, DeliversAgainWhenItsConsumerDies) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        auto first = co_await join(*queue);
        auto second = co_await join(*queue);
        co_await publish_some(*queue, 3);
        // Any of them may be the one whose share they are.
        auto held = co_await first->next(within(traits().quiet), 1);
        if (held && held->empty()) {
            std::swap(first, second);
            held = co_await first->next(patient(), 1);
        }
        EXPECT_TRUE(held.has_value() && !held->empty());
        first.reset();
        const auto others = co_await take(*second, 3);
        EXPECT_EQ(sorted(ids_of(others)), (Ids{"id-0", "id-1", "id-2"}));
        co_await acknowledge(*second, others);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, DoesNotDeliverAgainWhatWasAcknowledged) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        auto first = co_await join(*queue);
        co_await publish_some(*queue, 4);
        const auto taken = co_await take(*first, 4);
        co_await acknowledge(*first, taken);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
        co_await first->close();
        const auto second = co_await join(*queue);
        const Ids more = co_await surplus(*second);
        EXPECT_EQ(more, Ids{});
    });
}

TEST_P(QueueConformance, ANewMemberGetsWhatIsLeft) {
    if (copies() > 1) { GTEST_SKIP() << "what is left differs between its queues"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto first = co_await join(*queue);
        for (int i = 0; i < 5; ++i) {
            co_await publish(*queue, message("id-" + std::to_string(i), "k"));
        }
        const auto taken = co_await take(*first, 2);
        co_await acknowledge(*first, taken);
        co_await first->close();
        const auto second = co_await join(*queue);
        const auto rest = co_await take(*second, 3);
        EXPECT_EQ(ids_of(rest), (Ids{"id-2", "id-3", "id-4"}));
    });
}

TEST_P(QueueConformance, TakesAcknowledgementsInAnyOrder) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto first = co_await join(*queue);
        co_await publish_some(*queue, 5);
        const auto taken = co_await take(*first, 5);
        EXPECT_EQ(taken.size(), 5 * copies());
        std::vector<Delivery> some;
        std::vector<Delivery> others;
        for (std::size_t i = taken.size(); i-- > 0;) {
            (i % 2 == 0 ? some : others).push_back(taken[i]);
        }
        co_await acknowledge(*first, some);
        co_await first->close();
        const auto second = co_await join(*queue);
        auto again = co_await take(*second, others.size());
        if (traits().acknowledges_in_order_only) {
            const auto rest = co_await second->next(within(traits().quiet), 100);
            if (rest) { again.insert(again.end(), rest->begin(), rest->end()); }
            const Ids found = ids_of(again);
            for (const Delivery& other : others) {
                EXPECT_NE(std::find(found.begin(), found.end(), other.message.id), found.end());
            }
        } else {
            EXPECT_EQ(sorted(ids_of(again)), sorted(ids_of(others)));
        }
        std::reverse(again.begin(), again.end());
        co_await acknowledge(*second, again);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, AnUnknownNumberHarmsNothing) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        co_await publish_some(*queue, 2);
        const auto held = co_await take(*consumer, 2);
        std::vector<std::uint64_t> unknown{987'654'321};
        const auto refused = co_await consumer->acknowledge(patient(), unknown);
        EXPECT_FALSE(refused.has_value());
        const auto unfinished = co_await unfinished_becomes(*queue, 2);
        EXPECT_EQ(unfinished, 2);
        co_await acknowledge(*consumer, held);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, NextKeepsItsLimitAndItsDeadline) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        const MonotonicTime start = clock().monotonic();
        const Ids more = co_await surplus(*consumer);
        EXPECT_EQ(more, Ids{});
        EXPECT_GE(clock().monotonic() - start, traits().quiet);
        EXPECT_LT(clock().monotonic() - start, traits().quiet + traits().patience);
        co_await publish_some(*queue, 7);
        std::size_t found = 0;
        const Context context = patient();
        while (found < 7 * copies() && clock().monotonic() < context.deadline) {
            const auto next = co_await consumer->next(context, 3);
            EXPECT_TRUE(next.has_value());
            if (!next) { break; }
            EXPECT_GE(next->size(), 1u);
            EXPECT_LE(next->size(), 3u);
            found += next->size();
        }
        EXPECT_EQ(found, 7 * copies());
    });
}

TEST_P(QueueConformance, NextWaitsForAMessage) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        Scope scope(spawner());
        auto later = [&]() -> Task<void> {
            co_await pause(milliseconds(100));
            co_await publish_some(*queue, 1);
        };
        scope.start("publisher", later());
        const auto taken = co_await take(*consumer, 1);
        EXPECT_EQ(ids_of(taken), Ids{"id-0"});
        co_await scope.join();
    });
}

TEST_P(QueueConformance, CloseEndsANextUnderWay) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        const MonotonicTime start = clock().monotonic();
        Scope scope(spawner());
        auto later = [&]() -> Task<void> {
            co_await pause(milliseconds(50));
            co_await consumer->close();
        };
        scope.start("closer", later());
        const auto ended = co_await consumer->next(patient(), 1);
        co_await scope.join();
        EXPECT_FALSE(ended.has_value());
        if (!ended) {
            EXPECT_EQ(ended.error().code(), "closed");
            EXPECT_EQ(ended.error().kind(), ErrorKind::retryable);
        }
        EXPECT_LT(clock().monotonic() - start, traits().patience);
        const auto again = co_await consumer->next(patient(), 1);
        EXPECT_FALSE(again.has_value());
    });
}

TEST_P(QueueConformance, CountsWhatIsUnfinished) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        EXPECT_EQ((co_await stats(*queue)).unfinished, 0);
        for (int i = 0; i < 4; ++i) {
            co_await publish(*queue, message("id-" + std::to_string(i), "k"));
        }
        EXPECT_EQ(co_await unfinished_becomes(*queue, 4), 4);
        const auto held = co_await take(*consumer, 4);
        const QueueStats before = co_await stats(*queue);
        EXPECT_EQ(before.unfinished, 4 * traits().copies);
        EXPECT_EQ(before.published, 4u);
        EXPECT_EQ(before.delivered, 4 * copies());
        EXPECT_EQ(before.size.has_value(), queue->features().counts_size);
        if (before.size) { EXPECT_EQ(*before.size, 4 * traits().copies); }
        for (std::size_t i = 0; i < held.size(); ++i) {
            const QueueStats now = co_await stats(*queue);
            EXPECT_NE(now.unfinished, 0) << i;
            const std::vector<Delivery> one{held[i]};
            co_await acknowledge(*consumer, one);
            if ((i + 1) % copies() != 0) { continue; }
            const auto left = static_cast<std::int64_t>((held.size() - i - 1) / copies());
            EXPECT_EQ(co_await unfinished_becomes(*queue, left), left);
        }
    });
}

TEST_P(QueueConformance, RefusesWhatIsTooLarge) {
    if (traits().message_bytes == 0) { GTEST_SKIP() << "it has no bound of its own"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        Message large = message("large");
        large.body.assign(traits().message_bytes + 1, 'x');
        EXPECT_EQ(co_await try_publish(*queue, large), "permanent too-large");
        const auto checked = queue->check(large);
        EXPECT_TRUE(!checked && checked.error().code() == "too-large");
        EXPECT_TRUE(queue->check(message("small")));
        co_await publish_some(*queue, 1);
        const auto taken = co_await take(*consumer, 1);
        EXPECT_EQ(ids_of(taken), Ids{"id-0"});
    });
}

TEST_P(QueueConformance, RefusesMoreThanItsCapacity) {
    if (copies() > 1) { GTEST_SKIP() << "its queues fill one by one"; }
    bool bounded = true;
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        const auto capacity = (co_await stats(*queue)).capacity;
        bounded = capacity && *capacity <= 10'000;
        if (!bounded) { co_return; }
        co_await publish_some(*queue, static_cast<int>(*capacity));
        EXPECT_EQ(co_await try_publish(*queue, message("more")), "retryable queue-full");
        const auto held = co_await take(*consumer, 2);
        EXPECT_EQ(co_await try_publish(*queue, message("more")), "retryable queue-full");
        co_await acknowledge(*consumer, held);
        EXPECT_EQ(co_await try_publish(*queue, message("more")), "ok");
    });
    if (!bounded) { GTEST_SKIP() << "it has no bound that can be reached"; }
}

TEST_P(QueueConformance, KnowsARepeatAsItsFeaturesSay) {
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        const Message twice = message("twice", "k");
        co_await publish(*queue, twice);
        co_await publish(*queue, twice);
        co_await publish(*queue, message("last", "k"));
        std::vector<Delivery> taken;
        std::size_t last = 0;
        while (last < copies()) {
            const auto next = co_await consumer->next(patient(), 10);
            EXPECT_TRUE(next.has_value() && !next->empty());
            if (!next || next->empty()) { break; }
            taken.insert(taken.end(), next->begin(), next->end());
            last = 0;
            for (const Delivery& delivery : taken) { last += delivery.message.id == "last"; }
        }
        EXPECT_EQ(ids_of(taken), (Ids{"twice", "last"}));
        if (queue->features().drops_repeats_for > Duration{}) {
            EXPECT_EQ(taken.size(), 2u);
        } else {
            EXPECT_LE(taken.size(), 3 * copies());
        }
        co_await acknowledge(*consumer, taken);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 0), 0);
    });
}

TEST_P(QueueConformance, SurvivesAKillAsItsFeaturesSay) {
    bool survives = false;
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        survives = queue->features().survives_kill;
        const auto consumer = co_await join(*queue);
        for (int i = 0; i < 5; ++i) {
            co_await publish(*queue, message("id-" + std::to_string(i), "k"));
        }
        const auto held = co_await take(*consumer, 2);
        co_await acknowledge(*consumer, held);
        EXPECT_EQ(co_await unfinished_becomes(*queue, 3), 3);
    });
    if (!bench().restart()) { GTEST_SKIP() << "it cannot be killed apart from the suite"; }
    run([&]() -> Task<void> {
        const auto queue = co_await open();
        const auto consumer = co_await join(*queue);
        if (survives) {
            const auto rest = co_await take(*consumer, 3);
            EXPECT_EQ(ids_of(rest), (Ids{"id-2", "id-3", "id-4"}));
        } else {
            const Ids more = co_await surplus(*consumer);
            EXPECT_EQ(more, Ids{});
        }
    });
}

}  // namespace
}  // namespace rushproof::conformance
