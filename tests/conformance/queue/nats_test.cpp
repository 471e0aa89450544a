// The suite on JetStream; open() is a connection of its own each time, restart() kills the server.
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "core/real/nats/nats_queue.hpp"
#include "tests/conformance/queue/cases.hpp"
#include "tests/conformance/queue/real_bench.hpp"

namespace rushproof::conformance {
namespace {

constexpr std::size_t message_bytes = 1 << 20;  // what nats-server takes by default

class NatsBench final : public RealQueueBench {
public:
    explicit NatsBench(int number) : topic_("suite-" + std::to_string(number)) {}
    ~NatsBench() override {
        connections_.clear();
        run_out();
    }

    QueueTraits traits() const override {
        QueueTraits traits;
        // Longer than the server waits for an acknowledgement.
        traits.patience = std::chrono::seconds(50);
        traits.may_overtake_who_goes = true;  // core/real/nats/README.md, Limits
        traits.message_bytes = message_bytes;
        return traits;
    }
    Task<Result<std::shared_ptr<MessageQueue>>> open() override {
        NatsOptions options;
        options.url = std::getenv("RUSHPROOF_NATS_URL");
        // Room comes back when the stream is purged, a little after the acknowledgement: the limit
        // has a test of its own (core/real/nats/tests).
        options.messages_max = 20'000;
        options.bytes_max = 16 << 20;  // of many topics on one small server
        RP_CO_TRY(const NatsConnection connection,
                  NatsConnection::start(context().get_executor(), options, telemetry()));
        connections_.push_back(connection);
        Context context = Context(clock().monotonic() + std::chrono::seconds(20));
        co_return co_await connection.open(context, topic_);
    }
    bool restart() override {
        connections_.clear();
        run_out();
        for (const char* script : {"stop", "restart"}) {
            const std::string command =
                std::string("infra/stack/nats/") + script + " \"$RUSHPROOF_NATS_FOLDER\"";
            if (std::system(command.c_str()) != 0) { throw std::runtime_error(command); }
        }
        return true;
    }

private:
    std::string topic_;
    std::vector<NatsConnection> connections_;
};

std::unique_ptr<QueueBench> make_bench() {
    static int benches = 0;
    return std::make_unique<NatsBench>(++benches);
}

INSTANTIATE_TEST_SUITE_P(Nats, QueueConformance,
                         testing::Values(QueueProvider{"nats", make_bench}));

}  // namespace
}  // namespace rushproof::conformance
