// The suite on a real Apache Kafka, or on the stand-in that infra/stack starts where there is none:
// a topic for every case, and a client of its own for every open().
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/real/kafka/kafka_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/real_bench.hpp"

namespace rushproof::conformance {
namespace {

std::string variable_of_stack(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// Of processes and cases, so that each has a topic of its own.
std::string fresh_name() {
    static int count = 0;
    return "case-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

class KafkaBench final : public RealQueueBench {
public:
    KafkaBench() {
        options_.brokers = variable_of_stack("RUSHPROOF_KAFKA_BROKERS");
        options_.topic = fresh_name();
        options_.partitions = 4;
        options_.message_bytes = 100'000;
        options_.session_timeout = std::chrono::seconds(apache() ? 2 : 6);
    }

    QueueTraits traits() const override {
        QueueTraits traits;
        traits.patience = std::chrono::seconds(30);
        traits.quiet = std::chrono::seconds(3);
        traits.message_bytes = options_.message_bytes;
        traits.acknowledges_in_order_only = true;
        traits.rounds = 2;
        return traits;
    }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        const Context context(clock().monotonic() + std::chrono::seconds(30));
        RP_CO_TRY(auto queue, co_await KafkaQueue::open(context, options_, telemetry()));
        co_return std::shared_ptr<MessageQueue>(std::move(queue));
    }
    bool restart() override {
        if (!apache()) { return false; }
        const std::string folder = "'" + variable_of_stack("RUSHPROOF_KAFKA_FOLDER") + "'";
        const std::string command =
            "infra/stack/kafka/stop " + folder + " --crash && infra/stack/kafka/restart " + folder;
        return std::system(command.c_str()) == 0;
    }

private:
    static bool apache() { return variable_of_stack("RUSHPROOF_KAFKA_KIND") == "apache"; }

    KafkaOptions options_;
};

std::unique_ptr<QueueBench> kafka_bench() {
    if (variable_of_stack("RUSHPROOF_KAFKA_BROKERS").empty()) {
        std::printf("no Kafka: run this by ctest, or by infra/stack/stack run kafka\n");
        return nullptr;
    }
    std::printf("Kafka: %s\n", variable_of_stack("RUSHPROOF_KAFKA_KIND").c_str());
    return std::make_unique<KafkaBench>();
}

INSTANTIATE_TEST_SUITE_P(Kafka, QueueConformance,
                         testing::Values(QueueProvider{"kafka", kafka_bench}));

}  // namespace
}  // namespace rushproof::conformance
