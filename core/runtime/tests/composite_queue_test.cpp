// Goal: who has a message after every combination of failures is what the composite says, and what
// some lack is recorded; a dead or slow provider does not hold up the others.
// Method: queues in memory behind a wrapper that fails as told.  That messages come out again is
// tests/conformance/queue's business.
#include "core/runtime/composite_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "core/runtime/memory_queue.hpp"
#include "core/runtime/scope.hpp"
#include "core/runtime/tests/fake_environment.hpp"

namespace rushproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

// What becomes of a call.
enum class Mood : std::uint8_t {
    fine,
    refuses,  // retryable, no effect
    rejects,  // permanent, no effect
    lost,     // unknown, no effect
    applied,  // unknown, and it had its effect
};
constexpr Mood all_moods[] = {Mood::fine, Mood::refuses, Mood::rejects, Mood::lost, Mood::applied};

Error error_of(Mood mood) {
    switch (mood) {
        case Mood::refuses: return {ErrorKind::retryable, "unavailable", "told so"};
        case Mood::rejects: return {ErrorKind::permanent, "too-large", "told so"};
        default: return {ErrorKind::unknown_outcome, "connection-lost", "told so"};
    }
}

class MoodyQueue final : public MessageQueue {
public:
    explicit MoodyQueue(Environment& environment)
        : clock_(environment.clock), inner_(environment, MemoryQueueOptions{}) {}

    QueueFeatures features() const override { return told; }

    Result<void> check(const Message& message) const override {
        if (message.body.size() <= body_max) { return {}; }
        return failure(error_of(Mood::rejects));
    }

    Task<Result<void>> publish(Context context, Message message) override {
        ++asked;
        if (delay > Duration{}) { co_await sleep_for(clock_, delay); }
        if (mood == Mood::fine || mood == Mood::applied) {
            RP_CO_CHECK(co_await inner_.publish(context, message));
            const bool known = std::find(ids.begin(), ids.end(), message.id) != ids.end();
            if (!known) { ids.push_back(message.id); }
        }
        if (mood == Mood::fine) { co_return Result<void>(); }
        co_return failure(error_of(mood));
    }
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override {
        if (consuming != Mood::fine) { co_return failure(error_of(consuming)); }
        RP_CO_TRY(auto inner, co_await inner_.join(std::move(context), std::move(group)));
        std::unique_ptr<Consumer> consumer = std::make_unique<Member>(*this, std::move(inner));
        co_return consumer;
    }
    Task<Result<QueueStats>> stats(Context context, std::string group) override {
        if (consuming != Mood::fine) { co_return failure(error_of(consuming)); }
        co_return co_await inner_.stats(std::move(context), std::move(group));
    }

    Mood mood = Mood::fine;
    Mood consuming = Mood::fine;
    Duration delay{};
    QueueFeatures told;
    Names ids;  // that it has taken
    int asked = 0;
    std::size_t body_max = 100;

private:
    class Member final : public Consumer {
    public:
        Member(MoodyQueue& queue, std::unique_ptr<Consumer> inner)
            : queue_(queue), inner_(std::move(inner)) {}
        Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
            if (queue_.consuming != Mood::fine) { co_return failure(error_of(queue_.consuming)); }
            co_return co_await inner_->next(std::move(context), limit);
        }
        Task<Result<void>> acknowledge(Context context,
                                       std::vector<std::uint64_t> numbers) override {
            if (queue_.consuming != Mood::fine) { co_return failure(error_of(queue_.consuming)); }
            co_return co_await inner_->acknowledge(std::move(context), std::move(numbers));
        }
        Task<void> close() override { co_await inner_->close(); }

    private:
        MoodyQueue& queue_;
        std::unique_ptr<Consumer> inner_;
    };

    Clock& clock_;
    MemoryQueue inner_;
};

std::string word_of(const Result<void>& answer) {
    if (answer) { return "ok"; }
    return std::string(to_string(answer.error().kind())) + ' ' + answer.error().code();
}

struct Bench {
    explicit Bench(CompositeStrategy strategy, bool second_mirrors = false) {
        CompositeOptions options;
        options.strategy = strategy;
        options.record = [this](Context, Divergence divergence) {
            return keep(std::move(divergence));
        };
        std::vector<CompositeMember> members;
        members.push_back({"first", first, false});
        members.push_back({"second", second, second_mirrors});
        queue = std::make_unique<CompositeQueue>(fake.environment, std::move(members), options);
    }

    Task<Result<void>> keep(Divergence divergence) {
        if (!records) { co_return failure(ErrorKind::retryable, "unavailable", "told so"); }
        divergences.push_back(std::move(divergence));
        co_return Result<void>();
    }

    Context soon() const { return Context(fake.world.monotonic() + seconds(1)); }
    std::string publish(std::string id, std::string body = "") {
        Message message{std::move(id), "k", {}, std::move(body)};
        return word_of(*fake.world.finish(queue->publish(soon(), std::move(message))));
    }
    void rest() { fake.world.run_for(seconds(60)); }

    FakeEnvironment fake;
    std::shared_ptr<MoodyQueue> first = std::make_shared<MoodyQueue>(fake.environment);
    std::shared_ptr<MoodyQueue> second = std::make_shared<MoodyQueue>(fake.environment);
    std::vector<Divergence> divergences;
    bool records = true;
    std::unique_ptr<CompositeQueue> queue;
};

bool has(const MoodyQueue& queue) { return !queue.ids.empty(); }

// Whatever happens: ok says who has it, "no effect" is true, and a difference is recorded.
void expect_honest(const Bench& bench, const std::string& answer, CompositeStrategy strategy) {
    const bool first = has(*bench.first);
    const bool second = has(*bench.second);
    if (answer == "ok") {
        if (strategy == CompositeStrategy::fail_fast) { EXPECT_TRUE(first && second); }
        EXPECT_TRUE(first || second);
    } else if (answer.starts_with("unknown")) {
        EXPECT_FALSE(bench.divergences.empty());
    } else {
        EXPECT_FALSE(first || second);
    }
    if (first == second) { return; }
    ASSERT_EQ(bench.divergences.size(), 1u);
    const Names& lacking = bench.divergences[0].lacking;
    EXPECT_NE(std::find(lacking.begin(), lacking.end(), first ? "second" : "first"), lacking.end());
    EXPECT_EQ(bench.divergences[0].message.id, "a");
}

TEST(CompositeQueue, IsHonestInEveryCombinationOfFailures) {
    for (const auto strategy : {CompositeStrategy::fail_fast, CompositeStrategy::best_effort}) {
        for (const Mood one : all_moods) {
            for (const Mood other : all_moods) {
                SCOPED_TRACE(std::to_string(static_cast<int>(strategy)) + " " +
                             std::to_string(static_cast<int>(one)) + " " +
                             std::to_string(static_cast<int>(other)));
                Bench bench(strategy);
                bench.first->mood = one;
                bench.second->mood = other;
                expect_honest(bench, bench.publish("a"), strategy);
                // The same again, when all is well, makes it whole.
                bench.rest();
                bench.first->mood = bench.second->mood = Mood::fine;
                EXPECT_EQ(bench.publish("a"), "ok");
                EXPECT_TRUE(has(*bench.first) && has(*bench.second));
            }
        }
    }
}

TEST(CompositeQueue, FailFastSaysWhatItKnows) {
    const auto answer = [](Mood one, Mood other) {
        Bench bench(CompositeStrategy::fail_fast);
        bench.first->mood = one;
        bench.second->mood = other;
        return bench.publish("a");
    };
    EXPECT_EQ(answer(Mood::fine, Mood::fine), "ok");
    EXPECT_EQ(answer(Mood::refuses, Mood::refuses), "retryable unavailable");
    EXPECT_EQ(answer(Mood::rejects, Mood::refuses), "retryable unavailable");
    EXPECT_EQ(answer(Mood::rejects, Mood::rejects), "permanent too-large");
    EXPECT_EQ(answer(Mood::refuses, Mood::fine), "unknown outcome partially-published");
    EXPECT_EQ(answer(Mood::lost, Mood::refuses), "unknown outcome partially-published");
    EXPECT_EQ(answer(Mood::fine, Mood::rejects), "unknown outcome partially-published");
    EXPECT_EQ(answer(Mood::fine, Mood::applied), "unknown outcome partially-published");
}

TEST(CompositeQueue, FailFastStopsAtTheFirstErrorOnceSomethingHasFailed) {
    const auto answer = [](Mood one, Mood other) {
        Bench bench(CompositeStrategy::fail_fast);
        bench.second->mood = Mood::rejects;
        bench.publish("before");
        bench.first->mood = one;
        bench.second->mood = other;
        const int asked = bench.first->asked;
        std::string said = bench.publish("a");
        return said + (bench.first->asked > asked ? ", first asked" : ", first not asked");
    };
    EXPECT_EQ(answer(Mood::fine, Mood::fine), "ok, first asked");
    EXPECT_EQ(answer(Mood::fine, Mood::refuses), "retryable unavailable, first not asked");
    EXPECT_EQ(answer(Mood::fine, Mood::rejects), "permanent too-large, first not asked");
    EXPECT_EQ(answer(Mood::fine, Mood::lost), "unknown outcome connection-lost, first not asked");
    EXPECT_EQ(answer(Mood::refuses, Mood::fine),
              "unknown outcome partially-published, first asked");
}

TEST(CompositeQueue, AllAreAskedAtOnceWhileNothingFails) {
    for (const auto strategy : {CompositeStrategy::fail_fast, CompositeStrategy::best_effort}) {
        Bench bench(strategy);
        bench.first->delay = bench.second->delay = milliseconds(300);
        const auto takes = [&] {
            const MonotonicTime start = bench.fake.world.monotonic();
            EXPECT_EQ(bench.publish("a"), "ok");
            return bench.fake.world.monotonic() - start;
        };
        EXPECT_EQ(takes(), milliseconds(300));
        if (strategy == CompositeStrategy::best_effort) { continue; }
        bench.first->mood = Mood::rejects;
        bench.publish("b");
        bench.first->mood = Mood::fine;
        EXPECT_EQ(takes(), milliseconds(600));
        bench.rest();
        EXPECT_EQ(takes(), milliseconds(300));
    }
}

TEST(CompositeQueue, FailFastRefusesWhileAProviderIsDown) {
    Bench bench(CompositeStrategy::fail_fast);
    bench.second->mood = Mood::refuses;
    EXPECT_EQ(bench.publish("a"), "unknown outcome partially-published");
    EXPECT_EQ(bench.publish("b"), "retryable unavailable");
    EXPECT_EQ(bench.first->ids, Names{"a"});
    EXPECT_EQ(bench.divergences.size(), 1u);
    // Afterwards the one that failed is asked first, so its failing again harms nothing.
    bench.rest();
    EXPECT_EQ(bench.publish("b"), "retryable unavailable");
    EXPECT_EQ(bench.first->ids, Names{"a"});
    EXPECT_EQ(bench.second->asked, 2);
    bench.rest();
    bench.second->mood = Mood::fine;
    EXPECT_EQ(bench.publish("b"), "ok");
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_EQ(bench.first->ids, (Names{"a", "b"}));
    EXPECT_EQ(bench.second->ids, (Names{"b", "a"}));
}

TEST(CompositeQueue, ManyThatFailAtOnceTakeAProviderDownOnce) {
    Bench bench(CompositeStrategy::fail_fast);
    bench.second->mood = Mood::refuses;
    bench.second->delay = milliseconds(10);
    const auto publish = [&](int number) -> Task<void> {
        Message message;
        message.id = "m-" + std::to_string(number);
        const auto answer = co_await bench.queue->publish(bench.soon(), std::move(message));
        EXPECT_FALSE(answer);
    };
    for (int i = 0; i < 20; ++i) {
        asio::co_spawn(bench.fake.world.executor("test"), publish(i), asio::detached);
    }
    bench.fake.world.run_for(milliseconds(400));
    EXPECT_EQ(bench.second->asked, 20);
    bench.second->mood = Mood::fine;
    EXPECT_EQ(bench.publish("b"), "ok");
}

TEST(CompositeQueue, AMessageThatIsAtFaultDoesNotTakeItsProviderDown) {
    Bench bench(CompositeStrategy::fail_fast);
    bench.first->mood = Mood::rejects;
    bench.second->mood = Mood::rejects;
    EXPECT_EQ(bench.publish("a"), "permanent too-large");
    bench.first->mood = bench.second->mood = Mood::fine;
    EXPECT_EQ(bench.publish("b"), "ok");
}

TEST(CompositeQueue, FailFastAsksNobodyForWhatOneWouldNeverTake) {
    Bench bench(CompositeStrategy::fail_fast);
    bench.second->body_max = 10;
    EXPECT_EQ(bench.publish("a", std::string(11, 'x')), "permanent too-large");
    EXPECT_EQ(bench.first->asked + bench.second->asked, 0);
    EXPECT_TRUE(bench.divergences.empty());
    EXPECT_EQ(bench.publish("b", std::string(10, 'x')), "ok");
    const auto refused = bench.queue->check({"a", "k", {}, std::string(11, 'x')});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message().starts_with("second: ")) << refused.error().message();
}

TEST(CompositeQueue, BestEffortAsksForWhatOneThatIsConsumedTakes) {
    const auto answer = [](std::size_t first_max, std::size_t second_max, bool mirror) {
        Bench bench(CompositeStrategy::best_effort, mirror);
        bench.first->body_max = first_max;
        bench.second->body_max = second_max;
        const std::string said = bench.publish("a", std::string(11, 'x'));
        return said + (bench.first->asked > 0 ? ", asked" : ", not asked");
    };
    EXPECT_EQ(answer(10, 11, false), "ok, asked");
    EXPECT_EQ(answer(11, 10, false), "ok, asked");
    EXPECT_EQ(answer(11, 10, true), "ok, asked");
    EXPECT_EQ(answer(10, 10, false), "permanent too-large, not asked");
    EXPECT_EQ(answer(10, 11, true), "permanent too-large, not asked");
}

TEST(CompositeQueue, BestEffortNeedsOneThatIsConsumed) {
    const auto answer = [](Mood one, Mood other, bool mirror) {
        Bench bench(CompositeStrategy::best_effort, mirror);
        bench.first->mood = one;
        bench.second->mood = other;
        return bench.publish("a");
    };
    EXPECT_EQ(answer(Mood::fine, Mood::refuses, false), "ok");
    EXPECT_EQ(answer(Mood::lost, Mood::fine, false), "ok");
    EXPECT_EQ(answer(Mood::refuses, Mood::rejects, false), "retryable unavailable");
    EXPECT_EQ(answer(Mood::rejects, Mood::rejects, false), "permanent too-large");
    EXPECT_EQ(answer(Mood::rejects, Mood::lost, false), "unknown outcome partially-published");
    EXPECT_EQ(answer(Mood::refuses, Mood::fine, true), "unknown outcome partially-published");
    EXPECT_EQ(answer(Mood::fine, Mood::refuses, true), "ok");
}

TEST(CompositeQueue, BestEffortLeavesOutWhatIsDownAndSaysSo) {
    Bench bench(CompositeStrategy::best_effort);
    bench.second->mood = Mood::refuses;
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_EQ(bench.publish("b"), "ok");
    EXPECT_EQ(bench.second->asked, 1);
    ASSERT_EQ(bench.divergences.size(), 2u);
    EXPECT_EQ(bench.divergences[1].message.id, "b");
    EXPECT_EQ(bench.divergences[1].lacking, Names{"second"});
    EXPECT_EQ(bench.divergences[1].reason, "second: down");
    const auto stats = bench.queue->provider_stats();
    EXPECT_EQ(stats.at(0).published, 2u);
    EXPECT_EQ(stats.at(1).failed, 2u);
    EXPECT_TRUE(stats.at(1).down);
    EXPECT_EQ(bench.fake.world.count("composite_failed_publishes_total second"), 2u);
    EXPECT_EQ(bench.fake.world.count("composite_divergences_total"), 2u);
}

TEST(CompositeQueue, BestEffortAsksAllWhenAllAreDown) {
    Bench bench(CompositeStrategy::best_effort);
    bench.first->mood = bench.second->mood = Mood::refuses;
    EXPECT_EQ(bench.publish("a"), "retryable unavailable");
    bench.second->mood = Mood::fine;
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_TRUE(has(*bench.second));
}

TEST(CompositeQueue, ADivergenceThatCannotBeRecordedIsCounted) {
    Bench bench(CompositeStrategy::best_effort);
    bench.records = false;
    bench.second->mood = Mood::refuses;
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_EQ(bench.fake.world.count("composite_unrecorded_divergences_total"), 1u);
}

TEST(CompositeQueue, RepairsOneProvider) {
    Bench bench(CompositeStrategy::best_effort);
    bench.second->mood = Mood::refuses;
    EXPECT_EQ(bench.publish("a"), "ok");
    bench.second->mood = Mood::fine;
    const auto to = [&](std::string_view name) {
        return word_of(*bench.fake.world.finish(
            bench.queue->publish_to(bench.soon(), name, bench.divergences.at(0).message)));
    };
    EXPECT_EQ(to("second"), "retryable unavailable") << "it counts as down";
    bench.rest();
    EXPECT_EQ(to("second"), "ok");
    EXPECT_EQ(bench.second->ids, Names{"a"});
    EXPECT_EQ(bench.first->asked, 1);
    EXPECT_EQ(to("third"), "permanent unknown-provider");
}

TEST(CompositeQueue, PromisesWhatItsProvidersLeaveIt) {
    const auto features = [](CompositeStrategy strategy, bool mirror) {
        Bench bench(strategy, mirror);
        bench.first->told.survives_kill = true;
        bench.first->told.drops_repeats_for = seconds(9);
        return bench.queue->features();
    };
    const auto fast = features(CompositeStrategy::fail_fast, false);
    EXPECT_TRUE(fast.keeps_key_order);
    EXPECT_TRUE(fast.survives_kill);
    EXPECT_EQ(fast.drops_repeats_for, Duration{});
    const auto effort = features(CompositeStrategy::best_effort, false);
    EXPECT_FALSE(effort.keeps_key_order);
    EXPECT_FALSE(effort.survives_kill);
    const auto mirrored = features(CompositeStrategy::best_effort, true);
    EXPECT_TRUE(mirrored.keeps_key_order);
    EXPECT_TRUE(mirrored.survives_kill);
    EXPECT_EQ(mirrored.drops_repeats_for, seconds(9));
}

// What a group's member gets within two seconds: "first a".
Task<Names> consume(Bench& bench) {
    Names got;
    const Context context(bench.fake.world.monotonic() + seconds(2));
    const auto consumer = co_await bench.queue->join(context, "workers");
    EXPECT_TRUE(consumer.has_value());
    if (!consumer) { co_return got; }
    while (bench.fake.world.monotonic() < context.deadline) {
        const auto next = co_await (*consumer)->next(context, 10);
        if (!next) {
            got.push_back(next.error().code());
            break;
        }
        std::vector<std::uint64_t> numbers;
        for (const Delivery& delivery : *next) {
            got.push_back(std::string(delivery.provider) + ' ' + delivery.message.id);
            numbers.push_back(delivery.number);
        }
        if (numbers.empty()) { break; }
        const auto done = co_await (*consumer)->acknowledge(context, std::move(numbers));
        EXPECT_TRUE(done.has_value());
    }
    co_await (*consumer)->close();
    std::sort(got.begin(), got.end());
    co_return got;
}

TEST(CompositeQueue, DeliversFromEachProviderByName) {
    Bench bench(CompositeStrategy::fail_fast);
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_EQ(*bench.fake.world.finish(consume(bench)), (Names{"first a", "second a"}));
    EXPECT_EQ(bench.queue->provider_stats().at(1).delivered, 1u);
}

TEST(CompositeQueue, DoesNotConsumeAMirror) {
    Bench bench(CompositeStrategy::fail_fast, true);
    EXPECT_EQ(bench.publish("a"), "ok");
    EXPECT_EQ(*bench.fake.world.finish(consume(bench)), Names{"first a"});
}

TEST(CompositeQueue, ADeadProviderDoesNotHoldUpTheOther) {
    Bench bench(CompositeStrategy::best_effort);
    EXPECT_EQ(bench.publish("a"), "ok");
    bench.first->consuming = Mood::refuses;
    EXPECT_EQ(*bench.fake.world.finish(consume(bench)), Names{"second a"});
    bench.first->consuming = Mood::fine;
    EXPECT_EQ(*bench.fake.world.finish(consume(bench)), Names{"first a"});
}

TEST(CompositeQueue, AProviderThatComesBackIsJoined) {
    Bench bench(CompositeStrategy::best_effort);
    EXPECT_EQ(bench.publish("a"), "ok");
    bench.first->consuming = Mood::refuses;
    auto both = [&]() -> Task<Names> {
        Scope scope(bench.fake.world);
        auto heal = [&]() -> Task<void> {
            co_await sleep_for(bench.fake.world, std::chrono::milliseconds(500));
            bench.first->consuming = Mood::fine;
        };
        scope.start("heal", heal());
        Names got = co_await consume(bench);
        co_await scope.join();
        co_return got;
    };
    EXPECT_EQ(*bench.fake.world.finish(both()), (Names{"first a", "second a"}));
}

TEST(CompositeQueue, SaysWhenNoProviderAnswers) {
    Bench bench(CompositeStrategy::best_effort);
    auto fail = [&]() -> Task<std::string> {
        const Context context(bench.fake.world.monotonic() + seconds(2));
        const auto consumer = co_await bench.queue->join(context, "workers");
        bench.first->consuming = bench.second->consuming = Mood::refuses;
        const auto next = co_await (*consumer)->next(context, 1);
        co_return next ? "ok" : next.error().code();
    };
    EXPECT_EQ(*bench.fake.world.finish(fail()), "unavailable");
    const auto joined = *bench.fake.world.finish(bench.queue->join(bench.soon(), "workers"));
    EXPECT_FALSE(joined.has_value());
    const auto stats = *bench.fake.world.finish(bench.queue->stats(bench.soon(), "workers"));
    EXPECT_FALSE(stats.has_value());
}

TEST(CompositeQueue, StatsAreThoseOfTheConsumedOnes) {
    Bench bench(CompositeStrategy::fail_fast);
    EXPECT_EQ(bench.publish("a"), "ok");
    const auto stats = *bench.fake.world.finish(bench.queue->stats(bench.soon(), "workers"));
    ASSERT_TRUE(stats.has_value());
    EXPECT_EQ(stats->unfinished, 2);
    EXPECT_EQ(stats->size, 2);
    EXPECT_EQ(stats->published, 1u);
    EXPECT_EQ(stats->capacity, 1000);
}

}  // namespace
}  // namespace rushproof
