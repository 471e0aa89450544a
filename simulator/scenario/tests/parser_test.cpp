// Goal: every key of the format reaches its place in Scenario, and what is not given has the
// default of the structure. Method: one file with every key, checked member by member.
#include <gtest/gtest.h>

#include "simulator/scenario/tests/example.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string everything = R"(rushproof: 1
title: All of it
description: Every key there is
tags: [a, b.c]
mode: sim
seeds: [1, 5..7]
duration: 1m
timeout-minutes: 3
schedule: {pick: pct, depth: 5}
system:
  services: {gateway: 2, inventory: 3}
  reservation: optimistic
  database: sqlite
  reservation-ttl: 5s
  sweep-interval: 250ms
  request-timeout: 2s
  mutant: M07
  clock: {skew-max: 200ms}
stock:
  skus: 20
  units: {dist: uniform, min: 1, max: 30}
  set: {CONSOLE-X: 500, SKU-3: 7}
popularity: {dist: zipf, s: 1.4}
load:
  background:
    executor: constant-arrival-rate
    rate: 40.5/s
    arrivals: uniform
    duration: 50s
    max-in-flight: 100
    journey: browse
  flash:
    executor: ramping-arrival-rate
    start-time: 10s
    start-rate: 1/s
    stages: [{target: 400/s, duration: 2s}, {target: 0/s, duration: 8s}]
    journey: browse
    popularity: {dist: fixed, sku: CONSOLE-X}
  staff: {executor: constant-vus, vus: 20, journey: browse}
journeys:
  browse:
    - read: {sku: SKU-1}
    - think: {dist: lognormal, median: 800ms, sigma: 0.4}
    - reserve: {sku: $popular, quantity: {dist: choice, values: {1: 0.8, 4: 20%}}, idempotency-key: per-buyer}
    - retry:
        when: [timeout, 503, conflict]
        max: 5
        attempt-timeout: 300ms
        backoff: {base: 20ms, factor: 1.5, jitter: none}
    - think: {dist: exponential, mean: 1s, max: 9s}
    - choose: {confirm: 0.6, release: 0.2, abandon: 0.2}
timeline:
  - {at: 0s, phase: calm}
  - {at: 5s, fault: {kind: kill, target: inventory/2, restart-after: 2s}}
  - {at: 9s, fault: {kind: kill}}
  - {at: 6s, for: 3s, id: slow, fault: {kind: latency, between: [gateway, inventory/0], direction: in, delay: 80ms, jitter: 20ms}}
  - {at-point: {name: "inventory.reserve/commit:before", nth: 3}, fault: {kind: stop}}
swarm:
  start: 2s
  quiet-tail: 20s
  subset: all
  mean-gap: 3s
  duration: {dist: exponential, mean: 2s, max: 10s}
  max-concurrent: 2
  kinds:
    - pause
    - kill: {target: gateway, restart-after: {min: 100ms, max: 5s}}
    - partition: {target: any, direction: [in, out]}
    - clock-skew: {offset: {min: -2s, max: 2s}}
    - clock-drift: {drift: {min: -500ppm, max: 500ppm}}
    - commit-unknown: {rate: {min: 1%, max: 60%}}
    - latency: {delay: {min: 1ms, max: 2s}, jitter: 5ms}
checks:
  - no-oversell
  - lifecycle: {grace: 2s}
thresholds:
  reserve.latency:
    - p(99.9) < 400ms
    - {expr: max <= 5s, during: "fault:slow", allow-empty: true}
  reserve.errors: rate < 0.1%
  confirm.rate: value >= 12.5/s
expect: [{fail: [lifecycle]}]
report: {formats: [html, junit]}
)";

TEST(Parser, TheFrame) {
    ASSERT_EQ(errors_of(everything), "");
    const auto scenario = scenario_of(everything);
    EXPECT_EQ(scenario.file, "x.yaml");
    EXPECT_EQ(scenario.title, "All of it");
    EXPECT_EQ(scenario.tags, (std::vector<std::string>{"a", "b.c"}));
    EXPECT_EQ(scenario.seeds, (std::vector<std::uint64_t>{1, 5, 6, 7}));
    EXPECT_EQ(scenario.duration, minutes(1));
    EXPECT_EQ(scenario.timeout, minutes(3));
    EXPECT_EQ(scenario.schedule, Schedule::pct);
    EXPECT_EQ(scenario.schedule_depth, 5);
    EXPECT_EQ(scenario.report_formats, (std::vector<std::string>{"html", "junit"}));
    EXPECT_EQ(scenario.expected_failures, std::vector<std::string>{"lifecycle"});
}

TEST(Parser, SystemAndStock) {
    const auto scenario = scenario_of(everything);
    EXPECT_EQ(scenario.system.gateways, 2);
    EXPECT_EQ(scenario.system.inventories, 3);
    EXPECT_EQ(scenario.system.reservation, "optimistic");
    EXPECT_EQ(scenario.system.database, "sqlite");
    EXPECT_EQ(scenario.system.reservation_ttl, seconds(5));
    EXPECT_EQ(scenario.system.sweep_interval, milliseconds(250));
    EXPECT_EQ(scenario.system.request_timeout, seconds(2));
    EXPECT_EQ(scenario.system.mutant, "M07");
    EXPECT_EQ(scenario.system.clock_skew_max, milliseconds(200));
    EXPECT_EQ(scenario.stock.skus, 20);
    EXPECT_EQ(scenario.stock.units.min, 1);
    EXPECT_EQ(scenario.stock.units.max, 30);
    using Units = std::vector<std::pair<std::string, std::int64_t>>;
    EXPECT_EQ(scenario.stock.set, (Units{{"CONSOLE-X", 500}, {"SKU-3", 7}}));
    EXPECT_EQ(scenario.popularity.kind, PopularityKind::zipf);
    EXPECT_EQ(scenario.popularity.s, 1.4);
}

TEST(Parser, Loads) {
    const auto scenario = scenario_of(everything);
    ASSERT_EQ(scenario.loads.size(), 3u);
    const Load& background = scenario.loads[0];
    EXPECT_EQ(background.name, "background");
    EXPECT_EQ(background.location.line, 25);
    EXPECT_EQ(background.location.column, 3);
    EXPECT_EQ(background.rate.per_1000_seconds, 40'500);
    EXPECT_EQ(background.arrivals, Arrivals::uniform);
    EXPECT_EQ(background.duration, seconds(50));
    EXPECT_EQ(background.max_in_flight, 100);
    EXPECT_FALSE(background.popularity);
    const Load& flash = scenario.loads[1];
    EXPECT_EQ(flash.executor, Executor::ramping_arrival_rate);
    EXPECT_EQ(flash.start_time, seconds(10));
    EXPECT_EQ(flash.start_rate.per_1000_seconds, 1'000);
    ASSERT_EQ(flash.stages.size(), 2u);
    EXPECT_EQ(flash.stages[0].target, 400'000);
    EXPECT_EQ(flash.stages[1].duration, seconds(8));
    EXPECT_EQ(flash.arrivals, Arrivals::poisson);
    EXPECT_FALSE(flash.duration);
    EXPECT_EQ(flash.popularity->sku, "CONSOLE-X");
    EXPECT_EQ(scenario.loads[2].executor, Executor::constant_vus);
    EXPECT_EQ(scenario.loads[2].vus, 20);
}

TEST(Parser, Journeys) {
    const auto scenario = scenario_of(everything);
    const Journey& journey = scenario.journeys.at(0);
    EXPECT_EQ(journey.name, "browse");
    ASSERT_EQ(journey.steps.size(), 5u);
    EXPECT_EQ(std::get<ReadStep>(journey.steps[0]).sku, "SKU-1");
    const auto& think = std::get<ThinkStep>(journey.steps[1]).time;
    EXPECT_EQ(think.kind, DrawKind::lognormal);
    EXPECT_EQ(think.mean, milliseconds(800));
    EXPECT_EQ(think.sigma, 0.4);
    const auto& reserve = std::get<ReserveStep>(journey.steps[2]);
    EXPECT_EQ(reserve.sku, "");
    EXPECT_EQ(reserve.key, KeyPolicy::per_buyer);
    using Weights = std::vector<std::pair<std::int64_t, std::uint32_t>>;
    EXPECT_EQ(reserve.quantity.values, (Weights{{1, 800'000}, {4, 200'000}}));
    EXPECT_EQ(std::get<ThinkStep>(journey.steps[3]).time.max, seconds(9));
    EXPECT_EQ(std::get<ChooseStep>(journey.steps[4]).confirm, 600'000u);
    EXPECT_EQ(std::get<ChooseStep>(journey.steps[4]).release, 200'000u);
    EXPECT_TRUE(journey.retry.on_timeout && journey.retry.on_unavailable &&
                journey.retry.on_conflict);
    EXPECT_EQ(journey.retry.max, 5);
    EXPECT_EQ(journey.retry.attempt_timeout, milliseconds(300));
    EXPECT_EQ(journey.retry.base, milliseconds(20));
    EXPECT_EQ(journey.retry.factor, 1.5);
    EXPECT_FALSE(journey.retry.jitter);
}

TEST(Parser, Baskets) {
    const auto scenario = scenario_of(
        example_head,
        {"journeys.buy.0={reserve-many: {items: {dist: uniform, min: 1, max: 4}, order: sorted}}"});
    const auto& basket = std::get<ReserveManyStep>(scenario.journeys.at(0).steps.at(0));
    EXPECT_EQ(basket.items.min, 1);
    EXPECT_EQ(basket.items.max, 4);
    EXPECT_EQ(basket.quantity.max, 1);
    EXPECT_TRUE(basket.sorted);
    EXPECT_TRUE(basket.atomic);
}

TEST(Parser, Timeline) {
    const auto scenario = scenario_of(everything);
    ASSERT_EQ(scenario.timeline.size(), 5u);
    EXPECT_EQ(scenario.timeline[0].phase, "calm");
    EXPECT_EQ(scenario.timeline[1].id, "kill-1");
    EXPECT_EQ(scenario.timeline[1].fault->restart_after, seconds(2));
    EXPECT_EQ(scenario.timeline[1].location.line, 54);
    EXPECT_EQ(scenario.timeline[2].id, "kill-2");
    EXPECT_EQ(scenario.timeline[2].fault->target, "any");
    const auto& slow = scenario.timeline[3];
    EXPECT_EQ(slow.id, "slow");
    EXPECT_EQ(slow.duration, seconds(3));
    EXPECT_EQ(slow.fault->between,
              std::make_pair(std::string("gateway"), std::string("inventory/0")));
    EXPECT_EQ(slow.fault->direction, Direction::in);
    EXPECT_EQ(slow.fault->delay, milliseconds(80));
    EXPECT_EQ(slow.fault->jitter, milliseconds(20));
    EXPECT_EQ(scenario.timeline[4].at_point->name, "inventory.reserve/commit:before");
    EXPECT_EQ(scenario.timeline[4].at_point->nth, 3);
}

TEST(Parser, Swarm) {
    const auto scenario = scenario_of(everything);
    ASSERT_TRUE(scenario.swarm);
    const Swarm& swarm = *scenario.swarm;
    EXPECT_EQ(swarm.start, seconds(2));
    EXPECT_EQ(swarm.quiet_tail, seconds(20));
    EXPECT_FALSE(swarm.random_subset);
    EXPECT_EQ(swarm.mean_gap, seconds(3));
    EXPECT_EQ(swarm.duration.max, seconds(10));
    EXPECT_EQ(swarm.max_concurrent, 2);
    ASSERT_EQ(swarm.kinds.size(), 7u);
    EXPECT_EQ(swarm.kinds[0].fault.kind, FaultKind::pause);
    EXPECT_EQ(swarm.kinds[0].location.line, 66);
    EXPECT_EQ(swarm.kinds[1].restart_after,
              std::make_pair(Duration(milliseconds(100)), Duration(seconds(5))));
    EXPECT_EQ(swarm.kinds[2].directions, (std::vector<Direction>{Direction::in, Direction::out}));
    EXPECT_EQ(swarm.kinds[3].offset->first, -seconds(2));
    EXPECT_EQ(swarm.kinds[4].drift_ppm->second, 500);
    EXPECT_EQ(swarm.kinds[5].rate->second, 600'000u);
    EXPECT_EQ(swarm.kinds[6].delay->second, seconds(2));
    EXPECT_EQ(swarm.kinds[6].fault.jitter, milliseconds(5));
}

TEST(Parser, ChecksAndThresholds) {
    const auto scenario = scenario_of(everything);
    ASSERT_EQ(scenario.checks.size(), 2u);
    EXPECT_EQ(scenario.checks[1].name, "lifecycle");
    EXPECT_EQ(scenario.checks[1].grace, seconds(2));
    EXPECT_EQ(scenario.checks[1].location.line, 75);
    ASSERT_EQ(scenario.thresholds.size(), 4u);
    const auto& first = scenario.thresholds[0];
    EXPECT_EQ(first.metric, "reserve.latency");
    EXPECT_EQ(first.expression, "p(99.9) < 400ms");
    EXPECT_EQ(first.aggregate, Aggregate::percentile);
    EXPECT_EQ(first.percentile, 99.9);
    EXPECT_EQ(first.comparison, Comparison::less);
    EXPECT_EQ(first.limit, 4e8);
    EXPECT_EQ(first.location.line, 78);
    const auto& second = scenario.thresholds[1];
    EXPECT_EQ(second.comparison, Comparison::less_equal);
    EXPECT_EQ(second.during, "fault:slow");
    EXPECT_TRUE(second.allow_empty);
    EXPECT_EQ(scenario.thresholds[2].limit, 0.001);
    EXPECT_EQ(scenario.thresholds[3].limit, 12.5);
    EXPECT_EQ(scenario.thresholds[3].comparison, Comparison::greater_equal);
}

TEST(Parser, WhatIsNotGivenHasTheDefaultOfTheStructure) {
    const auto scenario = scenario_of(example_head);
    const Scenario fresh;
    EXPECT_EQ(scenario.seeds, fresh.seeds);
    EXPECT_EQ(scenario.timeout, fresh.timeout);
    EXPECT_EQ(scenario.mode, fresh.mode);
    EXPECT_EQ(scenario.system.reservation, fresh.system.reservation);
    EXPECT_EQ(scenario.system.reservation_ttl, fresh.system.reservation_ttl);
    EXPECT_EQ(scenario.popularity.kind, fresh.popularity.kind);
    EXPECT_EQ(scenario.loads[0].max_in_flight, Load().max_in_flight);
    EXPECT_EQ(std::get<ReserveStep>(scenario.journeys[0].steps[0]).quantity.max, 1);
    EXPECT_FALSE(scenario.swarm);
}

}  // namespace
}  // namespace rushproof::simulator
