// The suite on queues that live in memory.
#include "core/runtime/memory_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/fake_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr MemoryQueueOptions options{.capacity = 50, .message_bytes = 4096};

QueueTraits memory_traits() {
    QueueTraits traits;
    traits.message_bytes = options.message_bytes;
    traits.rounds = 300;
    return traits;
}

class MemoryBench final : public FakeQueueBench {
public:
    MemoryBench() : FakeQueueBench(memory_traits()) { make(); }

    Task<Result<std::shared_ptr<MessageQueue>>> open() override { co_return queue_; }
    bool restart() override {
        make();
        return true;
    }

private:
    void make() { queue_ = std::make_shared<MemoryQueue>(environment(), options); }

    std::shared_ptr<MessageQueue> queue_;
};

INSTANTIATE_TEST_SUITE_P(Memory, QueueConformance,
                         testing::Values(QueueProvider{
                             "memory", [] { return std::make_unique<MemoryBench>(); }}));

}  // namespace
}  // namespace rushproof::conformance
