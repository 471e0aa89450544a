// The suite on jobs that live in memory.
#include "core/runtime/memory_job_queue.hpp"

#include <stdexcept>

#include "core/runtime/tests/fake_environment.hpp"
#include "tests/conformance/job_queue/cases.hpp"

namespace rushproof::conformance {
namespace {

constexpr MemoryJobQueueOptions options{
    .capacity = 60, .job_bytes = 4096, .tries = 3, .retry_delay = std::chrono::milliseconds(200)};

class MemoryBench final : public JobBench {
public:
    MemoryBench() { restart(); }

    JobTraits traits() const override {
        JobTraits traits;
        traits.tries = options.tries;
        traits.retry_delay = options.retry_delay;
        traits.job_bytes = options.job_bytes;
        traits.capacity = options.capacity;
        return traits;
    }
    Clock& clock() override { return fake_.world; }
    Spawner& spawner() override { return fake_.world; }
    void run(Task<void> task) override {
        auto to_its_end = [](Task<void> whole) -> Task<bool> {
            co_await std::move(whole);
            co_return true;
        };
        if (!fake_.world.finish(to_its_end(std::move(task)))) {
            throw std::runtime_error("it did not end");
        }
    }
    Task<Result<std::shared_ptr<JobQueue>>> open() override { co_return queue_; }
    bool restart() override {
        queue_ = std::make_shared<MemoryJobQueue>(fake_.environment, options);
        return true;
    }

private:
    FakeEnvironment fake_;
    std::shared_ptr<JobQueue> queue_;
};

INSTANTIATE_TEST_SUITE_P(Memory, JobConformance,
                         testing::Values(JobProvider{
                             "memory", [] { return std::make_unique<MemoryBench>(); }}));

}  // namespace
}  // namespace rushproof::conformance
