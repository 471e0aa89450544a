// The suite on RabbitMQ; open() is a connection of its own each time, restart() kills the server.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "core/real/rabbitmq/rabbit_job_queue.hpp"
#include "tests/conformance/job_queue/cases.hpp"
#include "tests/conformance/queue/real_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr std::size_t job_bytes = 1 << 20;

class RabbitWorld final : public RealQueueBench {
public:
    QueueTraits traits() const override { return {}; }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        co_return failure(ErrorKind::permanent, "not-configured", "this world has jobs only");
    }
    Telemetry& quiet() { return telemetry(); }
};

class RabbitBench final : public JobBench {
public:
    explicit RabbitBench(int number) : name_("suite-" + std::to_string(number)) {}

    JobTraits traits() const override {
        JobTraits traits;
        traits.tries = 3;
        traits.retry_delay = std::chrono::milliseconds(200);
        traits.job_bytes = job_bytes;
        traits.workers_die = true;
        traits.survives_kill = true;
        traits.patience = std::chrono::seconds(40);
        return traits;
    }
    Clock& clock() override { return world_.clock(); }
    Spawner& spawner() override { return world_.spawner(); }
    void run(Task<void> task) override { world_.run(std::move(task)); }
    Task<Result<std::shared_ptr<JobQueue>>> open() override {
        RabbitOptions options;
        options.url = std::getenv("RUSHPROOF_RABBITMQ_URL");
        options.tries_max = 3;
        options.retry_after = std::chrono::milliseconds(200);
        options.body_max = job_bytes;
        RP_CO_TRY(auto queue, make_rabbit_job_queue(name_, options, world_.quiet()));
        // It connects in the background.
        const MonotonicTime give_up = clock().monotonic() + std::chrono::seconds(20);
        for (;;) {
            Context context(give_up);
            const auto stats = co_await queue->stats(context);
            if (stats) { break; }
            if (clock().monotonic() > give_up) { co_return failure(stats.error()); }
            const MonotonicTime soon = clock().monotonic() + std::chrono::milliseconds(20);
            co_await sleep_until(clock(), soon);
        }
        co_return queue;
    }
    bool restart() override {
        for (const char* script : {"stop", "restart"}) {
            const std::string command =
                std::string("infra/stack/rabbitmq/") + script + " \"$RUSHPROOF_RABBITMQ_FOLDER\"";
            if (std::system(command.c_str()) != 0) { throw std::runtime_error(command); }
        }
        return true;
    }

private:
    RabbitWorld world_;
    std::string name_;
};

std::unique_ptr<JobBench> make_bench() {
    static int benches = 0;
    return std::make_unique<RabbitBench>(++benches);
}

INSTANTIATE_TEST_SUITE_P(RabbitMq, JobConformance,
                         testing::Values(JobProvider{"rabbitmq", make_bench}));

}  // namespace
}  // namespace rushproof::conformance
