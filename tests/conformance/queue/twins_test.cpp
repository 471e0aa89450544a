// The suite on the simulated brokers: the same cases as on the real ones, in virtual time.
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/twin_world.hpp"

namespace rushproof::conformance {
namespace {

class TwinBench final : public QueueBench {
public:
    TwinBench(const std::string& broker, QueueTraits traits)
        : broker_(broker), traits_(traits), world_(broker) {}

    QueueTraits traits() const override { return traits_; }
    Clock& clock() override { return world_.clock(); }
    Spawner& spawner() override { return world_.spawner(); }
    void run(Task<void> task) override { world_.run(std::move(task)); }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        const Context context(clock().monotonic() + std::chrono::seconds(5));
        return world_.queues().open(context, broker_, "messages");
    }
    bool restart() override {
        world_.restart();
        return true;
    }

private:
    std::string broker_;
    QueueTraits traits_;
    TwinWorld world_;
};

QueueTraits traits() {
    QueueTraits traits;
    traits.patience = std::chrono::seconds(60);
    traits.message_bytes = 1'048'576;
    traits.rounds = 30;
    return traits;
}

std::unique_ptr<QueueBench> nats_bench() { return std::make_unique<TwinBench>("nats", traits()); }

std::unique_ptr<QueueBench> kafka_bench() {
    QueueTraits its = traits();
    its.acknowledges_in_order_only = true;
    return std::make_unique<TwinBench>("kafka", its);
}

INSTANTIATE_TEST_SUITE_P(NatsTwin, QueueConformance,
                         testing::Values(QueueProvider{"nats", nats_bench}));
INSTANTIATE_TEST_SUITE_P(KafkaTwin, QueueConformance,
                         testing::Values(QueueProvider{"kafka", kafka_bench}));

}  // namespace
}  // namespace rushproof::conformance
