// Goal: every queue that a processor can own keeps what it accepted, and what the parts of a
// composite do not agree on is recorded and can be repaired.  Method: a processor that stops and
// starts again on the same database; a broker that refuses for a while.
#include <gtest/gtest.h>

#include "services/processor/tests/bench.hpp"

namespace rushproof::processor {
namespace {

Options over(const std::string& provider) {
    Options options;
    options.queue.provider = provider;
    return options;
}

class EachEngine : public testing::TestWithParam<Engine> {
protected:
    Bench bench{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Queues, EachEngine, testing::Values(Engine::model, Engine::sqlite));

TEST_P(EachEngine, KeepsItsMessagesInItsDatabase) {
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "away");
    };
    Options options = over("sqlite");
    options.drain_grace = seconds(1);
    bench.start(options);
    for (int i = 1; i <= 30; ++i) {
        const std::string id = "r-" + std::to_string(i);
        ASSERT_TRUE(bench.put(Bench::reserve(id, "SKU-" + std::to_string(i % 3))));
    }
    ASSERT_TRUE(bench.stop());
    EXPECT_EQ(bench.world.count("processor_lost_total"), 0u);
    bench.rpc.refuse = nullptr;
    bench.start(options);
    bench.world.run_for(seconds(60));
    EXPECT_EQ(bench.processed().size(), 30u);
    EXPECT_EQ(bench.stats().queue().unfinished(), 0);
    EXPECT_EQ(bench.stats().queue().type(), "sqlite");
}

TEST_P(EachEngine, RefusesWhatItsTablesDoNotTake) {
    Options options = over("sqlite");
    options.queue.capacity = 5;
    bench.rpc.refuse = [](const std::string&) -> std::optional<Error> {
        return Error(ErrorKind::retryable, "unavailable", "away");
    };
    bench.start(options);
    Result<std::string> last;
    for (int i = 1; i <= 6; ++i) {
        last = bench.put(Bench::reserve("r-" + std::to_string(i), "SKU-1"));
    }
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code(), "queue-full");
}

TEST_P(EachEngine, RepairsWhatAPartOfACompositeLacks) {
    bench.start(Bench::over_both("composite", "best-effort"));
    bench.queues.broker->refuses = true;
    ASSERT_TRUE(bench.put(Bench::plain("m-1"))) << "memory has it";
    bench.world.run_for(seconds(10));
    EXPECT_EQ(bench.processed(), std::vector<std::string>{"m-1"});
    wire::Divergences page;
    ASSERT_TRUE(page.ParseFromString(bench.call("ListDivergences", "").value()));
    ASSERT_EQ(page.items_size(), 1);
    EXPECT_EQ(page.items(0).message_id(), "m-1");
    ASSERT_EQ(page.items(0).lacking_size(), 1);
    EXPECT_EQ(page.items(0).lacking(0), "nats");
    wire::Repaired repaired;
    ASSERT_TRUE(repaired.ParseFromString(bench.call("RepairDivergences", "").value()));
    EXPECT_EQ(repaired.repaired(), 0) << "it is still away";
    EXPECT_EQ(repaired.failed(), 1);
    bench.queues.broker->refuses = false;
    bench.world.run_for(seconds(10));
    EXPECT_EQ(bench.stats().queue().providers(1).total_enqueued(), 1u) << "nobody had to ask again";
    EXPECT_TRUE(bench.queues.broker->entries.empty()) << "it was consumed there, too";
    EXPECT_EQ(bench.processed(), std::vector<std::string>{"m-1"}) << "and known again";
    ASSERT_TRUE(page.ParseFromString(bench.call("ListDivergences", "").value()));
    EXPECT_EQ(page.items_size(), 0);
}

TEST_P(EachEngine, WhatCannotBeRepairedKeepsNothingElseFromIt) {
    bench.start(Bench::over_both("composite", "best-effort"));
    bench.queues.broker->never_takes = {"m-1", "m-2"};
    ASSERT_TRUE(bench.put(Bench::plain("m-1")));
    ASSERT_TRUE(bench.put(Bench::plain("m-2")));
    bench.queues.broker->never_takes = {"m-1"};
    wire::RepairRequest request;
    request.set_limit(1);
    wire::Repaired repaired;
    for (const bool whole : {false, true, false}) {
        const auto answer = bench.call("RepairDivergences", request.SerializeAsString());
        ASSERT_TRUE(repaired.ParseFromString(answer.value()));
        EXPECT_EQ(repaired.repaired(), whole ? 1 : 0);
        EXPECT_EQ(repaired.failed(), whole ? 0 : 1);
    }
    const auto failed = bench.stats().queue().providers(1).total_failed();
    bench.world.run_for(seconds(10));
    EXPECT_EQ(bench.stats().queue().providers(1).total_failed(), failed) << "it is not even asked";
    EXPECT_EQ(bench.stats().queue().providers(1).total_enqueued(), 1u);
}

TEST_P(EachEngine, RepairsACompositeThatWasLeftBeforeItBegan) {
    bench.start(Bench::over_both("composite", "best-effort"));
    bench.queues.broker->refuses = true;
    ASSERT_TRUE(bench.put(Bench::plain("m-1")));
    wire::SwitchRequest request;
    request.set_to("memory");
    ASSERT_TRUE(bench.call("SwitchQueue", request.SerializeAsString()));
    bench.world.run_for(seconds(5));
    ASSERT_TRUE(bench.stop());
    bench.queues.broker->refuses = false;
    bench.start(Bench::over_both("memory"));
    bench.world.run_for(seconds(5));
    EXPECT_EQ(bench.stats().queue().type(), "memory");
    wire::Divergences page;
    ASSERT_TRUE(page.ParseFromString(bench.call("ListDivergences", "").value()));
    EXPECT_EQ(page.items_size(), 0);
    EXPECT_EQ(bench.queues.broker->entries.size(), 1u) << "it lies where the other part has it";
}

TEST_P(EachEngine, ARefusalLeadsNobodyToAnotherInstance) {
    bench.start(Bench::over_both("composite"));
    bench.queues.broker->refuses = true;
    EXPECT_EQ(bench.put(Bench::plain("m-1")).error().kind(), ErrorKind::unknown_outcome);
    EXPECT_EQ(bench.put(Bench::plain("m-2")).error().code(), "queue-unavailable");
}

TEST_P(EachEngine, TellsOfEachPartOfAComposite) {
    bench.start(Bench::over_both("composite"));
    ASSERT_TRUE(bench.put(Bench::plain("m-1")));
    bench.world.run_for(seconds(5));
    EXPECT_EQ(bench.processed().size(), 1u);
    const wire::Stats stats = bench.stats();
    ASSERT_EQ(stats.queue().providers_size(), 2);
    EXPECT_EQ(stats.queue().providers(0).name(), "memory");
    EXPECT_EQ(stats.queue().providers(1).total_enqueued(), 1u);
    EXPECT_NE(bench.http("GET", "/stats").body.find(R"("composite_stats":{"memory":{)"),
              std::string::npos);
}

TEST(Repair, NeedsAComposite) {
    Bench bench;
    bench.start();
    EXPECT_EQ(bench.call("RepairDivergences", "").error().code(), "conflict");
}

TEST(Instances, PassOnWhatAnotherOneKeepsInOrder) {
    Bench bench;
    Options options;
    options.instances = 2;
    options.instance = 1;
    bench.start(options);
    std::vector<std::string> passed_on;
    bench.rpc.on_enqueue = [&](const std::string& id) { passed_on.push_back(id); };
    for (int i = 1; i <= 20; ++i) {
        const std::string id = "m-" + std::to_string(i);
        ASSERT_TRUE(bench.put(Bench::plain(id, "k" + std::to_string(i))));
    }
    bench.world.run_for(seconds(1));
    EXPECT_GT(passed_on.size(), 0u);
    EXPECT_EQ(bench.processed().size() + passed_on.size(), 20u);
}

}  // namespace
}  // namespace rushproof::processor
