// Goal: the pipeline of messages reaches its place in Scenario, what does not fit together is
// refused where it stands, and brokers and switches are planned like everything else.
// Method: small files, read, planned and broken.
#include <gtest/gtest.h>

#include "simulator/scenario/plan.hpp"
#include "simulator/scenario/tests/example.hpp"
#include "simulator/scenario/topology.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::seconds;

const std::string on_composite =
    "system: {queue: composite, queue-options: {providers: [memory, nats], strategy: best-effort},"
    " ingests: 2, processors: 3, queue-size: 50, workers: 7}\n";
const std::string on_memory = "system: {queue: memory, processors: 2}\n";

// The example with another journey.
std::string with_journey(const std::string& steps) {
    std::string text = example_head;
    const std::string own = "[{reserve: {}}, {choose: {confirm: 1}}]";
    return text.replace(text.find(own), own.size(), steps);
}

TEST(Pipeline, IsNotThereByItself) {
    const Scenario scenario = scenario_of(example_head);
    EXPECT_EQ(scenario.system.queue, "");
    EXPECT_EQ(instances(scenario), (std::vector<std::string>{"gateway/0", "inventory/0"}));
    EXPECT_TRUE(brokers(scenario).empty());
}

TEST(Events, BringTheirBroker) {
    EXPECT_EQ(scenario_of(example_head).system.events, "feed");
    const Scenario scenario = scenario_of(example_head + "system: {events: kafka}\n");
    EXPECT_EQ(scenario.system.events, "kafka");
    EXPECT_EQ(brokers(scenario), std::vector<std::string>{"kafka"});
    EXPECT_TRUE(queue_providers(scenario).empty());
    EXPECT_TRUE(are_linked("inventory/0", "kafka"));
    const Scenario both = scenario_of(example_head + "system: {queue: nats, events: kafka}\n");
    EXPECT_EQ(brokers(both), (std::vector<std::string>{"kafka", "nats"}));
}

TEST(Pipeline, EveryKeyReachesItsPlace) {
    const SystemSpec system = scenario_of(example_head + on_composite).system;
    EXPECT_EQ(system.queue, "composite");
    EXPECT_EQ(system.queue_options.providers, (std::vector<std::string>{"memory", "nats"}));
    EXPECT_EQ(system.queue_options.strategy, "best-effort");
    EXPECT_EQ(system.ingests, 2);
    EXPECT_EQ(system.processors, 3);
    EXPECT_EQ(system.queue_size, 50);
    EXPECT_EQ(system.workers, 7);

    const auto scenario = scenario_of(
        with_journey("[ingest, {ingest: {keys: 9, bytes: 5, idempotency-key: per-attempt}}, "
                     "{ingest: {key: k-1}}, {reserve: {path: queued}}]") +
        on_memory);
    ASSERT_EQ(scenario.journeys.size(), 1u);
    const auto& steps = scenario.journeys.front().steps;
    ASSERT_EQ(steps.size(), 4u);
    EXPECT_EQ(std::get<IngestStep>(steps[0]).keys, 0);
    EXPECT_EQ(std::get<IngestStep>(steps[0]).key, "");
    EXPECT_EQ(std::get<IngestStep>(steps[1]).keys, 9);
    EXPECT_EQ(std::get<IngestStep>(steps[1]).bytes, 5);
    EXPECT_EQ(std::get<IngestStep>(steps[1]).idempotency, KeyPolicy::per_attempt);
    EXPECT_EQ(std::get<IngestStep>(steps[2]).key, "k-1");
    EXPECT_TRUE(std::get<ReserveStep>(steps[3]).queued);
}

TEST(Pipeline, ItsMachinesCanBeTargets) {
    const std::string timeline =
        "timeline: [{at: 1s, switch-queue: {to: kafka, deadline: 4s}, id: move},"
        " {at: 2s, for: 1s, fault: {kind: partition, between: [processor, nats]}},"
        " {at: 4s, fault: {kind: kill, target: kafka}}]\n";
    const Scenario scenario = scenario_of(example_head + on_composite + timeline);
    EXPECT_EQ(instances(scenario),
              (std::vector<std::string>{"gateway/0", "inventory/0", "ingest/0", "ingest/1",
                                        "processor/0", "processor/1", "processor/2"}));
    EXPECT_EQ(brokers(scenario), (std::vector<std::string>{"kafka", "nats"}));
    EXPECT_EQ(queue_providers(scenario), (std::vector<std::string>{"kafka", "memory", "nats"}));
    const auto plan = plan_faults(scenario, 1);
    ASSERT_EQ(plan.size(), 3u);
    EXPECT_EQ(plan[0].id, "move");
    EXPECT_EQ(plan[0].fault.kind, FaultKind::switch_queue);
    EXPECT_EQ(plan[0].fault.target, "kafka");
    EXPECT_EQ(plan[0].duration, seconds(4));
    EXPECT_EQ(plan[1].fault.between->second, "nats");
    EXPECT_TRUE(plan[1].fault.between->first.starts_with("processor/"));
    EXPECT_EQ(plan[2].fault.target, "kafka");
    EXPECT_TRUE(are_linked("processor/1", "nats"));
    EXPECT_FALSE(are_linked("gateway/0", "nats"));
}

TEST(Pipeline, ASwarmSwitchesOneAtATime) {
    const std::string swarm =
        "swarm: {mean-gap: 100ms, subset: all, duration: 1s, max-concurrent: 9, kinds: "
        "[{switch-queue: {to: [memory, nats, kafka], deadline: 2s}}]}\n";
    const Scenario scenario = scenario_of(example_head + on_memory + swarm);
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto plan = plan_faults(scenario, seed);
        ASSERT_FALSE(plan.empty());
        for (std::size_t i = 0; i < plan.size(); ++i) {
            seen.insert(plan[i].fault.target);
            EXPECT_LE(plan[i].duration, seconds(2));
            if (i > 0) { EXPECT_GT(plan[i].at, plan[i - 1].at + plan[i - 1].duration); }
        }
    }
    EXPECT_EQ(seen, (std::set<std::string>{"kafka", "memory", "nats"}));
}

TEST(Pipeline, BrokersHaveFaultsOfTheirOwn) {
    const std::string timeline =
        "timeline: [{at: 1s, fault: {kind: broker, target: nats, effect: redeliver}},"
        " {at: 2s, for: 1s, fault: {kind: broker, effect: drop-ack, rate: 30%}},"
        " {at: 4s, for: 2s, fault: {kind: broker, effect: leader-change}},"
        " {at: 7s, fault: {kind: broker, effect: power-loss, restart-after: 3s}}]\n";
    const auto plan = plan_faults(scenario_of(example_head + on_composite + timeline), 1);
    ASSERT_EQ(plan.size(), 4u);
    const std::vector<std::pair<BrokerEffect, Duration>> expected{
        {BrokerEffect::redeliver, seconds(0)},
        {BrokerEffect::drop_ack, seconds(1)},
        {BrokerEffect::leader_change, seconds(2)},
        {BrokerEffect::power_loss, seconds(3)}};
    for (std::size_t i = 0; i < plan.size(); ++i) {
        EXPECT_EQ(plan[i].fault.target, "nats");
        EXPECT_EQ(plan[i].fault.effect, expected[i].first);
        EXPECT_EQ(plan[i].duration, expected[i].second);
    }
    EXPECT_EQ(plan[1].fault.rate, 300'000u);
}

TEST(Pipeline, ASwarmDrawsWhatBrokersDo) {
    const std::string swarm =
        "swarm: {mean-gap: 100ms, subset: all, duration: 1s, max-concurrent: 9, kinds: "
        "[{broker: {effect: [redeliver, drop-ack, power-loss], rate: {min: 10%, max: 20%}}}]}\n";
    const std::string both =
        "system: {queue: composite, queue-options: {providers: [kafka, nats]}}\n";
    const Scenario scenario = scenario_of(example_head + both + swarm);
    std::set<std::string> targets;
    std::set<BrokerEffect> effects;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (const PlannedFault& planned : plan_faults(scenario, seed)) {
            targets.insert(planned.fault.target);
            effects.insert(planned.fault.effect);
            EXPECT_GE(planned.fault.rate, 100'000u);
            EXPECT_LE(planned.fault.rate, 200'000u);
            EXPECT_EQ(takes_no_time(planned.fault), planned.duration == Duration::zero());
        }
    }
    EXPECT_EQ(targets, (std::set<std::string>{"kafka", "nats"}));
    EXPECT_EQ(effects, (std::set{BrokerEffect::redeliver, BrokerEffect::drop_ack,
                                 BrokerEffect::power_loss}));
}

TEST(Pipeline, WhatDoesNotFitIsRefused) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {example_head + "system: {workers: 2}\n",
         "x.yaml:8:19: system.workers: there is no pipeline | set system.queue"},
        {example_head + "timeline: [{at: 1s, switch-queue: {to: nats}}]\n",
         "x.yaml:8:40: timeline.0.switch-queue.to: there is no pipeline | set system.queue"},
        {with_journey("[ingest]"),
         "x.yaml:6:17: journeys.buy: there is no pipeline for its messages | set system.queue"},
        {with_journey("[{reserve: {path: queued}}]"),
         "x.yaml:6:17: journeys.buy: there is no pipeline for its messages | set system.queue"},
        {with_journey("[{reserve: {path: queued, idempotency-key: per-buyer}}]") + on_memory,
         "x.yaml:6:35: journeys.buy.0.reserve.path: a queued reserve has one key for a step and "
         "its retries | leave \"idempotency-key\" out"},
        {with_journey("[{ingest: {key: a, keys: 3}}]") + on_memory,
         "x.yaml:6:42: journeys.buy.0.ingest: \"key\" and \"keys\" exclude each other | leave one "
         "out"},
        {example_head + "system: {queue: nat}\n",
         "x.yaml:8:17: system.queue: \"nat\" is not known here | did you mean \"nats\"?"},
        {example_head + "system: {queue: composite}\n",
         "x.yaml:8:17: system.queue: nothing says what the composite queue is made of | list "
         "system.queue-options.providers"},
        {example_head + "system: {queue: nats, queue-options: {providers: [nats, kafka]}}\n",
         "x.yaml:8:38: system.queue-options: no queue of this run is composite | leave it out"},
        {example_head + "system: {queue: composite, queue-options: {providers: [nats, nats]}}\n",
         "x.yaml:8:62: system.queue-options.providers.1: \"nats\" is listed already | list each "
         "once"},
        {example_head + "system: {queue: memory, shards: 2, services: {inventory: 2}}\n",
         "x.yaml:8:33: system.shards: the pipeline is for a system of one database | leave out "
         "queue or shards"},
        {example_head + on_memory + "timeline: [{at: 1s, for: 2s, switch-queue: {to: nats}}]\n",
         "x.yaml:9:26: timeline.0.for: switch-queue has no \"for\" | write \"deadline\" in it"},
        {example_head + on_memory + "timeline: [{at: 1s, fault: {kind: kill, target: nats}}]\n",
         "x.yaml:9:49: timeline.0.fault.target: no instance \"nats\" | one of: gateway/0, "
         "inventory/0, ingest/0, processor/0, processor/1, database, any, gateway, inventory, "
         "ingest, processor"},
        {example_head + on_memory +
             "timeline: [{at: 1s, fault: {kind: broker, effect: redeliver}}]\n",
         "x.yaml:9:28: timeline.0.fault.target: this run has no broker | set system.queue to nats "
         "or kafka"},
        {example_head + on_composite +
             "timeline: [{at: 1s, fault: {kind: broker, target: kafka, effect: redeliver}}]\n",
         "x.yaml:9:51: timeline.0.fault.target: \"kafka\" is no broker of this run | one of: nats"},
        {example_head + on_composite +
             "timeline: [{at: 1s, fault: {kind: broker, effect: leader-change}}]\n",
         "x.yaml:9:12: timeline.0: \"for\" is missing | say how long the leader-change lasts"},
        {example_head + on_composite +
             "timeline: [{at: 1s, for: 1s, fault: {kind: broker, effect: redeliver}}]\n",
         "x.yaml:9:26: timeline.0.for: redeliver has no \"for\" | leave it out"},
        {example_head + on_composite +
             "timeline: [{at: 1s, fault: {kind: broker, effect: redeliver, rate: 10%}}]\n",
         "x.yaml:9:68: timeline.0.fault.rate: only drop-ack has it | leave it out"},
    };
    for (const auto& [text, message] : cases) { EXPECT_EQ(errors_of(text), message); }
}

TEST(Pipeline, LiveRunsCanCutOffABroker) {
    const std::string live = example_head + "mode: live\nsystem: {queue: nats}\n";
    const auto fault = [](const std::string& what) {
        return "timeline: [{at: 1s, for: 1s, fault: {kind: " + what + "}}]\n";
    };
    EXPECT_EQ(errors_of(live + fault("partition, target: nats")), "");
    EXPECT_EQ(errors_of(live + fault("latency, delay: 5ms, between: [ingest, nats]")), "");
    EXPECT_NE(errors_of(live + fault("partition, between: [gateway, ingest]")), "");
    EXPECT_NE(errors_of(live + fault("broker, effect: drop-ack")).find("virtual time only"),
              std::string::npos);
    EXPECT_EQ(errors_of(live + "timeline: [{at: 1s, switch-queue: {to: kafka}}]\n"), "");
}

}  // namespace
}  // namespace rushproof::simulator
