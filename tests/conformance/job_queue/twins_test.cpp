// The suite on the simulated RabbitMQ: the same cases as on the real one, in virtual time.
#include "tests/conformance/job_queue/cases.hpp"
#include "tests/conformance/twin_world.hpp"

namespace rushproof::conformance {
namespace {

constexpr std::int64_t tries = 3;
constexpr Duration retry_delay = std::chrono::milliseconds(200);

simulator::BrokerOptions options() {
    simulator::BrokerOptions options;
    options.rabbitmq.attempts_max = tries;
    options.rabbitmq.retry_delay = retry_delay;
    return options;
}

class TwinBench final : public JobBench {
public:
    TwinBench() : world_("rabbitmq", options()) {}

    JobTraits traits() const override {
        JobTraits traits;
        traits.tries = tries;
        traits.retry_delay = retry_delay;
        traits.job_bytes = 1'048'576;
        traits.workers_die = true;
        traits.survives_kill = true;
        return traits;
    }
    Clock& clock() override { return world_.clock(); }
    Spawner& spawner() override { return world_.spawner(); }
    void run(Task<void> task) override { world_.run(std::move(task)); }
    Task<Result<std::shared_ptr<JobQueue>>> open() override {
        const Context context(clock().monotonic() + std::chrono::seconds(5));
        return world_.queues().open_jobs(context, "jobs");
    }
    bool restart() override {
        world_.restart();
        return true;
    }

private:
    TwinWorld world_;
};

std::unique_ptr<JobBench> rabbitmq_bench() { return std::make_unique<TwinBench>(); }

INSTANTIATE_TEST_SUITE_P(RabbitMqTwin, JobConformance,
                         testing::Values(JobProvider{"rabbitmq", rabbitmq_bench}));

}  // namespace
}  // namespace rushproof::conformance
