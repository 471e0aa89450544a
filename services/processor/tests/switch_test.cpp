// Goal: a processor goes over to another queue under load, loses and doubles nothing and keeps the
// order of every key; also when it is stopped half-way, and when the other queue is away.  Method:
// its public interface on the fake clock, with publishers that follow the route as ingest does.
#include <gtest/gtest.h>

#include <map>

#include "services/processor/tests/bench.hpp"

namespace rushproof::processor {
namespace {

class SwitchTest : public testing::TestWithParam<Engine> {
protected:
    // One message of each key, to where the route says; true: all were accepted.
    bool publish() {
        wire::LeaseRequest request;
        request.set_publisher("till");
        request.set_epoch(epoch_);
        wire::Route route;
        EXPECT_TRUE(
            route.ParseFromString(bench_.call("Lease", request.SerializeAsString()).value()));
        epoch_ = route.epoch();
        const bool to_previous = route.phase() == "opening";
        const std::string to = to_previous ? route.previous() : route.provider();
        for (int key = 0; key < 3; ++key) {
            const std::string name = "k" + std::to_string(key);
            wire::Message message = Bench::plain(name + "-" + std::to_string(sent_), name);
            if (to == "nats") {
                Message plain{message.id(), message.key(), {}, message.body()};
                EXPECT_TRUE(bench_.finish(
                    bench_.queues.broker->publish(bench_.context(), std::move(plain))));
            } else {
                message.set_provider(to);
                if (!bench_.put(message)) { return false; }
            }
            accepted_[name].push_back(message.id());
        }
        ++sent_;
        return true;
    }

    wire::QueueState state() {
        wire::QueueState state;
        EXPECT_TRUE(state.ParseFromString(bench_.call("GetQueue", "").value()));
        return state;
    }
    Result<std::string> begin(const std::string& to, Duration within = {}) {
        wire::SwitchRequest request;
        request.set_to(to);
        request.set_within_us(
            std::chrono::duration_cast<std::chrono::microseconds>(within).count());
        return bench_.call("SwitchQueue", request.SerializeAsString());
    }
    void publish_for(Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(20)) {
            EXPECT_TRUE(publish());
            bench_.world.run_for(milliseconds(20));
        }
    }

    // Until told else, commands to reserve have no effect, and no end.
    void let_reserves_pass(bool pass) {
        bench_.rpc.refuse = nullptr;
        if (pass) { return; }
        bench_.rpc.refuse = [](const std::string&) -> std::optional<Error> {
            return Error(ErrorKind::retryable, "unavailable", "away");
        };
    }
    void reserve_over_broker(const std::string& id) {
        const wire::Message command = Bench::reserve(id, "k9");
        Message message{id, "k9", {}, command.body()};
        for (const wire::Header& header : command.headers()) {
            message.headers.emplace_back(header.name(), header.value());
        }
        EXPECT_TRUE(
            bench_.finish(bench_.queues.broker->publish(bench_.context(), std::move(message))));
        accepted_["k9"].push_back(id);
    }
    void run_until(const std::string& phase) {
        for (int i = 0; i < 500 && state().route().phase() != phase; ++i) {
            bench_.world.run_for(milliseconds(10));
        }
        ASSERT_EQ(state().route().phase(), phase);
    }

    void expect_all_in_order() {
        std::map<std::string, std::vector<std::string>> seen;
        for (const std::string& id : bench_.processed()) {
            seen[id.substr(0, id.find('-'))].push_back(id);
        }
        EXPECT_EQ(seen, accepted_);
    }

    Bench bench_{GetParam()};
    std::map<std::string, std::vector<std::string>> accepted_;
    int sent_ = 0;
    std::int64_t epoch_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Engines, SwitchTest, testing::Values(Engine::model, Engine::sqlite),
                         [](const auto& each) {
                             return each.param == Engine::model ? "model" : "sqlite";
                         });

TEST_P(SwitchTest, GoesOverUnderLoadAndBack) {
    bench_.start();
    publish_for(milliseconds(500));
    ASSERT_TRUE(begin("nats"));
    EXPECT_EQ(begin("memory").error().code(), "switch-under-way");
    publish_for(seconds(1));
    EXPECT_EQ(state().route().provider(), "nats");
    EXPECT_EQ(state().route().phase(), "steady");
    EXPECT_EQ(bench_.stats().queue().type(), "nats");
    EXPECT_EQ(begin("nats").error().code(), "already-there");
    ASSERT_TRUE(begin("memory"));
    publish_for(seconds(1));
    ASSERT_EQ(state().switches_size(), 2);
    EXPECT_EQ(state().switches(0).to(), "memory");
    EXPECT_EQ(state().switches(0).outcome(), "done");
    EXPECT_LT(state().switches(0).duration_us(), 1'000'000);
    bench_.world.run_for(seconds(1));
    expect_all_in_order();
}

TEST_P(SwitchTest, CarriesABacklogOver) {
    bench_.start();
    let_reserves_pass(false);
    for (int i = 0; i < 100; ++i) {
        wire::Message message = Bench::reserve("k0-" + std::to_string(sent_++), "k0");
        message.set_provider("memory");
        ASSERT_TRUE(bench_.put(message));
        accepted_["k0"].push_back(message.id());
    }
    ASSERT_TRUE(begin("nats"));
    publish_for(seconds(1));
    EXPECT_EQ(state().route().phase(), "draining");
    let_reserves_pass(true);
    publish_for(seconds(2));
    bench_.world.run_for(seconds(2));
    ASSERT_EQ(state().switches_size(), 1);
    EXPECT_EQ(state().switches(0).outcome(), "done");
    EXPECT_GE(state().switches(0).carried_over(), 100);
    expect_all_in_order();
}

// Publishers fill the part again as fast as it is drained.
TEST_P(SwitchTest, FromACompositeToItsPartDoesNotWaitForThePart) {
    bench_.start(Bench::over_both("composite"));
    publish_for(milliseconds(500));
    ASSERT_TRUE(begin("nats"));
    run_until("moving");
    let_reserves_pass(false);
    reserve_over_broker("k9-1");
    publish_for(seconds(1));
    EXPECT_EQ(state().route().provider(), "nats");
    EXPECT_EQ(state().route().phase(), "steady");
    let_reserves_pass(true);
    publish_for(seconds(2));
    bench_.world.run_for(seconds(2));
    expect_all_in_order();
}

// What goes to the composite stands in its part, too, which would never be empty.
TEST_P(SwitchTest, FromAPartToItsCompositeNobodyPublishesWhileThePartIsDrained) {
    bench_.start(Bench::over_both("nats"));
    publish_for(milliseconds(500));
    let_reserves_pass(false);
    reserve_over_broker("k9-1");
    ASSERT_TRUE(begin("composite"));
    publish_for(milliseconds(200));
    run_until("draining");
    bench_.world.run_for(seconds(1));
    EXPECT_EQ(bench_.put(Bench::plain("refused")).error().code(), "queue-switching");
    let_reserves_pass(true);
    run_until("steady");
    EXPECT_EQ(state().route().provider(), "composite");
    publish_for(seconds(1));
    bench_.world.run_for(seconds(2));
    expect_all_in_order();
}

TEST_P(SwitchTest, GivesUpWhatIsAwayForTooLong) {
    bench_.queues.away = true;
    bench_.start();
    ASSERT_TRUE(begin("nats", seconds(2)));
    publish_for(seconds(4));
    EXPECT_EQ(state().route().provider(), "memory");
    EXPECT_EQ(state().route().phase(), "steady");
    ASSERT_EQ(state().switches_size(), 1);
    EXPECT_EQ(state().switches(0).outcome(), "rolled-back");
    EXPECT_EQ(state().switches(0).reason(), "the broker is away");
    bench_.world.run_for(seconds(1));
    expect_all_in_order();
    EXPECT_EQ(begin("pigeon").error().code(), "invalid");
}

TEST_P(SwitchTest, StoppedHalfWayLosesNothingThatIsInMemoryOnly) {
    bench_.start(Bench::over_broker());
    publish_for(milliseconds(500));
    ASSERT_TRUE(begin("memory"));
    while (state().route().phase() == "opening") { bench_.world.run_for(milliseconds(10)); }
    publish_for(milliseconds(100));
    ASSERT_TRUE(bench_.stop());
    bench_.start(Bench::over_broker());
    epoch_ = 0;
    publish_for(seconds(5));
    bench_.world.run_for(seconds(1));
    EXPECT_EQ(state().route().provider(), "memory");
    expect_all_in_order();
}

TEST_P(SwitchTest, ARestartKeepsTheQueueThatWasGoneOverTo) {
    bench_.start();
    ASSERT_TRUE(begin("nats"));
    publish_for(seconds(1));
    ASSERT_TRUE(bench_.stop());
    bench_.start();
    publish_for(seconds(1));
    bench_.world.run_for(seconds(1));
    EXPECT_EQ(bench_.stats().queue().type(), "nats");
    expect_all_in_order();
}

}  // namespace
}  // namespace rushproof::processor
