// Goal: over the simulated brokers everything accepted is delivered, in the order of its key, and
// nothing else, whatever happens to broker, links and consumers; two runs of a seed are the same;
// and these tests would notice a broker that loses.
// Method: a small world per seed, and brokers with a planted mistake.
#include <gtest/gtest.h>

#include "tests/sim/broker_world.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::uint64_t seeds = 200;

BrokerOutcome run(const std::string& broker, std::uint64_t seed, BrokerOptions options = {}) {
    return BrokerWorld(broker, seed, options).run();
}

std::string text(const std::vector<std::string>& sentences) {
    std::string text;
    for (const auto& sentence : sentences) { text += sentence + "\n"; }
    return text;
}

class Broker : public testing::TestWithParam<std::string> {};

TEST_P(Broker, DeliversWhatItAccepted) {
    int troubles = 0;
    int repeats = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const BrokerOutcome outcome = run(GetParam(), seed);
        ASSERT_EQ(text(outcome.wrongs()), "") << "seed " << seed;
        ASSERT_EQ(outcome.accepted.size(),
                  static_cast<std::size_t>(BrokerWorld::publishers * BrokerWorld::keys *
                                           BrokerWorld::each))
            << "seed " << seed;
        troubles += outcome.troubles;
        for (const auto& [id, count] : outcome.deliveries) { repeats += count - 1; }
    }
    EXPECT_GT(troubles, static_cast<int>(seeds) * 4);
    EXPECT_GT(repeats, 0);
}

TEST_P(Broker, RunsTheSameTwice) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const BrokerOutcome first = run(GetParam(), seed);
        const BrokerOutcome second = run(GetParam(), seed);
        EXPECT_EQ(first.hash, second.hash);
        RecordProperty("seed-" + std::to_string(seed), first.hash);
        EXPECT_EQ(first.steps, second.steps);
        EXPECT_NE(first.hash, run(GetParam(), seed + 100).hash);
    }
}

INSTANTIATE_TEST_SUITE_P(Twins, Broker, testing::Values("nats", "kafka", "rabbitmq"),
                         [](const auto& broker) { return broker.param; });

// In how many of some seeds something is wrong.
int caught(const std::string& broker, const BrokerOptions& options) {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        if (!run(broker, seed, options).wrongs().empty()) { ++count; }
    }
    return count;
}

TEST(BrokerMistakes, AreCaughtOfNats) {
    BrokerOptions options;
    options.nats_server.mistake = NatsMistake::forgets_pending;
    EXPECT_GT(caught("nats", options), 0);
}

TEST(BrokerMistakes, AreCaughtOfKafka) {
    BrokerOptions options;
    options.kafka_server.broker.mistake = KafkaMistake::acknowledges_early;
    EXPECT_GT(caught("kafka", options), 0);
}

TEST(BrokerMistakes, AreCaughtOfRabbitmq) {
    BrokerOptions options;
    options.rabbitmq_server.mistake = RabbitMistake::drops_unacknowledged;
    EXPECT_GT(caught("rabbitmq", options), 0);
}

}  // namespace
}  // namespace rushproof::simulator
