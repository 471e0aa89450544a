// Goal: each planted bug is really there.  Method: the shortest run that shows it, on the build
// with mutants, beside the same run without the bug.
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>

#include "services/processor/app/effects.hpp"
#include "services/processor/tests/bench.hpp"

namespace rushproof::processor {
namespace {

using Ids = std::vector<std::string>;

Options with(Mutant mutant) {
    Options options = Bench::over_broker();
    options.mutant = mutant;
    return options;
}

// It dies while inventory does not answer: the broker still has the message, or nobody.
std::size_t left_at_the_broker(Mutant mutant) {
    Bench bench;
    bench.start(with(mutant));
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "");
    };
    EXPECT_TRUE(bench.put(Bench::reserve("r", "SKU-1")));
    bench.world.run_for(seconds(5));
    EXPECT_EQ(bench.processed(), Ids());
    return bench.queues.broker->entries.size();
}

TEST(Mutants, M18LosesWhatItAcknowledgedTooEarly) {
    EXPECT_EQ(left_at_the_broker(Mutant::none), 1u);
    EXPECT_EQ(left_at_the_broker(Mutant::m18_acknowledged_before_effect), 0u);
}

// Delivered twice, the second time so much later.
Ids delivered_again(Mutant mutant, Duration later) {
    Bench bench;
    bench.start(with(mutant));
    bench.queues.broker->loses_acknowledgements = true;
    EXPECT_TRUE(bench.put(Bench::plain("m")));
    bench.world.run_for(later);
    EXPECT_EQ(bench.processed(), Ids{"m"});
    bench.queues.broker->loses_acknowledgements = false;
    bench.queues.broker->redeliver();
    bench.world.run_for(seconds(2));
    EXPECT_TRUE(bench.queues.broker->entries.empty());
    return bench.processed();
}

TEST(Mutants, M19HasTheEffectAgain) {
    EXPECT_EQ(delivered_again(Mutant::none, seconds(3)), Ids{"m"});
    EXPECT_EQ(delivered_again(Mutant::m19_no_record, seconds(3)), (Ids{"m", "m"}));
}

TEST(Mutants, M20KnowsARepeatForASecond) {
    const Mutant mutant = Mutant::m20_record_for_too_short;
    EXPECT_EQ(delivered_again(mutant, milliseconds(800)), Ids{"m"});
    EXPECT_EQ(delivered_again(mutant, seconds(3)), (Ids{"m", "m"}));
}

TEST(Mutants, M21TwoThatLookedBothWrite) {
    for (const Mutant mutant : {Mutant::none, Mutant::m21_zombie_writes_blindly}) {
        const bool zombie = mutant != Mutant::none;
        EXPECT_EQ(delivered_again(mutant, seconds(3)), Ids{"m"}) << "it does look";
        Bench bench;
        const Options options = with(mutant);
        bench.start(options);
        bench.database.distance = milliseconds(10);
        const auto ignore = [](const std::vector<Work>&) {};
        Effects first(bench.environment, options, ignore);
        Effects second(bench.environment, options, ignore);
        std::vector<Work> batch(1);
        batch[0].id = "m";
        batch[0].kind = plain_kind;
        for (Effects* effects : {&first, &second}) {
            asio::co_spawn(bench.world.executor("test"), effects->settle(batch), asio::detached);
        }
        bench.world.run_for(seconds(1));
        EXPECT_EQ(bench.processed(), zombie ? (Ids{"m", "m"}) : Ids{"m"});
    }
}

TEST(Mutants, M31LeavesAQueueThatIsNotEmpty) {
    for (const Mutant mutant : {Mutant::none, Mutant::m31_switch_without_drain}) {
        Bench bench;
        Options options = with(mutant);
        options.queue.provider = "memory";
        bench.start(options);
        bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
            return Error(ErrorKind::retryable, "unavailable", "away");
        };
        wire::Message waits = Bench::reserve("m", "SKU-1");
        waits.set_provider("memory");
        ASSERT_TRUE(bench.put(waits));
        wire::SwitchRequest request;
        request.set_to("nats");
        ASSERT_TRUE(bench.call("SwitchQueue", request.SerializeAsString()));
        bench.world.run_for(seconds(2));
        wire::QueueState state;
        ASSERT_TRUE(state.ParseFromString(bench.call("GetQueue", "").value()));
        EXPECT_EQ(state.route().phase(), mutant == Mutant::none ? "draining" : "steady");
    }
}

TEST(Mutants, AreKnownByTheirNumbers) {
    EXPECT_EQ(parse_mutant(""), Mutant::none);
    EXPECT_EQ(parse_mutant("M20"), Mutant::m20_record_for_too_short);
    EXPECT_EQ(parse_mutant("M01"), std::nullopt);
}

}  // namespace
}  // namespace rushproof::processor
