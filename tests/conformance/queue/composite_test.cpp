// The suite on queues over two queues in memory.
#include "core/runtime/composite_queue.hpp"
#include "core/runtime/memory_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/fake_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr MemoryQueueOptions member_options{.capacity = 200, .message_bytes = 4096};

struct Composition {
    CompositeStrategy strategy;
    bool mirror;  // the second one
};

QueueTraits composite_traits(Composition composition) {
    QueueTraits traits;
    traits.message_bytes = member_options.message_bytes;
    traits.copies = composition.mirror ? 1 : 2;
    traits.rounds = 100;
    return traits;
}

class CompositeBench final : public FakeQueueBench {
public:
    explicit CompositeBench(Composition composition)
        : FakeQueueBench(composite_traits(composition)), composition_(composition) {
        make();
    }

    Task<Result<std::shared_ptr<MessageQueue>>> open() override { co_return queue_; }
    bool restart() override {
        make();
        return true;
    }

private:
    void make() {
        std::vector<CompositeMember> members;
        members.push_back(
            {"first", std::make_shared<MemoryQueue>(environment(), member_options), false});
        members.push_back({"second", std::make_shared<MemoryQueue>(environment(), member_options),
                           composition_.mirror});
        CompositeOptions options;
        options.strategy = composition_.strategy;
        queue_ = std::make_shared<CompositeQueue>(environment(), std::move(members), options);
    }

    Composition composition_;
    std::shared_ptr<MessageQueue> queue_;
};

QueueProvider provider(std::string name, Composition composition) {
    return {std::move(name),
            [composition] { return std::make_unique<CompositeBench>(composition); }};
}

INSTANTIATE_TEST_SUITE_P(
    Composite, QueueConformance,
    testing::Values(provider("failfast", {CompositeStrategy::fail_fast, false}),
                    provider("besteffort", {CompositeStrategy::best_effort, false}),
                    provider("mirrored", {CompositeStrategy::best_effort, true})));

}  // namespace
}  // namespace rushproof::conformance
