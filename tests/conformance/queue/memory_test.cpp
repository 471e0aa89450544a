// The suite on queues that live in memory.
#include "core/runtime/memory_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/fake_bench.hpp"

namespace rushproof::conformance {
namespace {

std::unique_ptr<QueueBench> memory_bench() {
    const MemoryQueueOptions options{.capacity = 50, .message_bytes = 4096};
    QueueTraits traits;
    traits.message_bytes = options.message_bytes;
    traits.rounds = 300;
    auto make = [options](Environment& environment) {
        return std::make_shared<MemoryQueue>(environment, options);
    };
    return std::make_unique<FakeQueueBench>(traits, make);
}

INSTANTIATE_TEST_SUITE_P(Memory, QueueConformance,
                         testing::Values(QueueProvider{"memory", memory_bench}));

}  // namespace
}  // namespace rushproof::conformance
