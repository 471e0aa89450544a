// Goal: the suite finds the mistakes that a provider could make.
// Method: a queue in memory that makes one of them; the suite runs on each, and must fail.
#include <algorithm>
#include <iostream>
#include <utility>

#include "core/runtime/memory_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/fake_bench.hpp"

namespace rushproof::conformance {
namespace {

enum class Mistake : std::uint8_t {
    none,
    loses_some,
    loses_headers,
    forgets_keys,  // until they are delivered
    one_group_for_all,
    acknowledges_before_the_effect,
    ignores_acknowledgements,
    accepts_unknown_numbers,
    turns_batches_around,
    ignores_limits,
    is_always_drained,
    counts_no_attempts,
};
constexpr const char* names[] = {"none",
                                 "losesSome",
                                 "losesHeaders",
                                 "forgetsKeys",
                                 "oneGroupForAll",
                                 "acknowledgesBeforeTheEffect",
                                 "ignoresAcknowledgements",
                                 "acceptsUnknownNumbers",
                                 "turnsBatchesAround",
                                 "ignoresLimits",
                                 "isAlwaysDrained",
                                 "countsNoAttempts"};

class MistakenConsumer final : public Consumer {
public:
    MistakenConsumer(Mistake mistake, std::unique_ptr<Consumer> inner)
        : mistake_(mistake), inner_(std::move(inner)) {}

    Task<Result<std::vector<Delivery>>> next(Context context, std::size_t limit) override {
        if (mistake_ == Mistake::ignores_limits) { limit += 3; }
        RP_CO_TRY(auto found, co_await inner_->next(context, limit));
        if (mistake_ == Mistake::acknowledges_before_the_effect) {
            RP_CO_CHECK(co_await inner_->acknowledge(context, numbers_of(found)));
        }
        if (mistake_ == Mistake::turns_batches_around) { std::reverse(found.begin(), found.end()); }
        for (Delivery& delivery : found) {
            if (mistake_ == Mistake::counts_no_attempts) { delivery.attempt = 1; }
            if (mistake_ == Mistake::forgets_keys) {
                delivery.message.key = delivery.message.headers.back().second;
                delivery.message.headers.pop_back();
            }
        }
        co_return found;
    }
    Task<Result<void>> acknowledge(Context context, std::vector<std::uint64_t> numbers) override {
        if (mistake_ == Mistake::ignores_acknowledgements ||
            mistake_ == Mistake::acknowledges_before_the_effect) {
            co_return Result<void>();
        }
        const auto done = co_await inner_->acknowledge(std::move(context), std::move(numbers));
        if (mistake_ == Mistake::accepts_unknown_numbers) { co_return Result<void>(); }
        co_return done;
    }
    Task<void> close() override { co_await inner_->close(); }

private:
    Mistake mistake_;
    std::unique_ptr<Consumer> inner_;
};

class MistakenQueue final : public MessageQueue {
public:
    MistakenQueue(Environment& environment, Mistake mistake)
        : mistake_(mistake), inner_(environment, {.capacity = 50, .message_bytes = 4096}) {}

    QueueFeatures features() const override { return inner_.features(); }
    Result<void> check(const Message& message) const override { return inner_.check(message); }
    Task<Result<void>> publish(Context context, Message message) override {
        if (mistake_ == Mistake::loses_some && ++published_ % 7 == 0) { co_return Result<void>(); }
        if (mistake_ == Mistake::loses_headers) { message.headers.clear(); }
        if (mistake_ == Mistake::forgets_keys) {
            message.headers.emplace_back("key", std::exchange(message.key, {}));
        }
        co_return co_await inner_.publish(std::move(context), std::move(message));
    }
    Task<Result<std::unique_ptr<Consumer>>> join(Context context, std::string group) override {
        if (mistake_ == Mistake::one_group_for_all) { group = "all"; }
        RP_CO_TRY(auto inner, co_await inner_.join(std::move(context), std::move(group)));
        std::unique_ptr<Consumer> consumer =
            std::make_unique<MistakenConsumer>(mistake_, std::move(inner));
        co_return consumer;
    }
    Task<Result<QueueStats>> stats(Context context, std::string group) override {
        if (mistake_ == Mistake::one_group_for_all) { group = "all"; }
        RP_CO_TRY(auto stats, co_await inner_.stats(std::move(context), std::move(group)));
        if (mistake_ == Mistake::is_always_drained) { stats.unfinished = 0; }
        co_return stats;
    }

private:
    Mistake mistake_;
    int published_ = 0;
    MemoryQueue inner_;
};

QueueTraits mistaken_traits() {
    QueueTraits traits;
    traits.message_bytes = 4096;
    traits.patience = std::chrono::seconds(1);
    return traits;
}

class MistakenBench final : public FakeQueueBench {
public:
    explicit MistakenBench(Mistake mistake)
        : FakeQueueBench(mistaken_traits()),
          queue_(std::make_shared<MistakenQueue>(environment(), mistake)) {}

    Task<Result<std::shared_ptr<MessageQueue>>> open() override { co_return queue_; }

private:
    std::shared_ptr<MessageQueue> queue_;
};

std::vector<QueueProvider> providers() {
    std::vector<QueueProvider> all;
    for (std::size_t i = 0; i < std::size(names); ++i) {
        const auto mistake = static_cast<Mistake>(i);
        all.push_back({names[i], [mistake] { return std::make_unique<MistakenBench>(mistake); }});
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Mistaken, QueueConformance, testing::ValuesIn(providers()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace rushproof::conformance

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    int wrong = 0;
    for (const std::string name : rushproof::conformance::names) {
        GTEST_FLAG_SET(filter, "*/" + name);
        const bool failed = RUN_ALL_TESTS() != 0;
        if (failed == (name != "none")) { continue; }
        ++wrong;
        std::cerr << name << (failed ? ": failed without a mistake\n" : ": was not found\n");
    }
    std::cerr << (wrong == 0 ? "every mistake was found\n" : "the suite is wrong\n");
    return wrong == 0 ? 0 : 1;
}
