// Goal: a plan of faults is a function of the scenario and the seed, obeys the bounds of the swarm,
// and one fault more or less moves no other.
// Method: plans of many seeds, compared with each other and with the bounds.
#include "simulator/scenario/plan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/hash.hpp"
#include "simulator/scenario/tests/example.hpp"
#include "simulator/scenario/topology.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string two_of_each = "system: {services: {gateway: 2, inventory: 2}}\n";

std::string text_of(const PlannedFault& planned) {
    const Fault& fault = planned.fault;
    std::string text = planned.id + '@' + std::to_string(planned.at.count()) + '+' +
                       std::to_string(planned.duration.count()) + ' ' + fault.target + ' ' +
                       std::to_string(fault.delay.count()) + ' ' +
                       std::to_string(fault.offset.count()) + ' ' +
                       std::to_string(fault.drift_ppm) + ' ' + std::to_string(fault.rate) + ' ' +
                       std::string(to_string(fault.direction));
    if (fault.between) { text += ' ' + fault.between->first + '-' + fault.between->second; }
    return text;
}

std::vector<std::string> texts_of(const std::vector<PlannedFault>& plan) {
    std::vector<std::string> texts;
    for (const auto& planned : plan) { texts.push_back(text_of(planned)); }
    return texts;
}

Scenario swarm_scenario(const std::string& kinds,
                        const std::string& options = "max-concurrent: 16") {
    return scenario_of(
        example_head + two_of_each +
        "swarm: {start: 2s, quiet-tail: 5s, mean-gap: 500ms, duration: {dist: exponential, "
        "mean: 1s, max: 3s}, " +
        options + ", kinds: [" + kinds + "]}\n");
}
const std::string all_kinds =
    "kill: {restart-after: {min: 100ms, max: 2s}}, stop, pause, restart, latency: {delay: {min: "
    "1ms, max: "
    "1s}}, partition: {direction: [both, in, out]}, partition: {between: [gateway, inventory]}, "
    "clock-skew: "
    "{offset: {min: -2s, max: 2s}}, clock-drift: {drift: {min: -500ppm, max: 500ppm}}, "
    "commit-unknown: "
    "{rate: {min: 1%, max: 50%}}";

TEST(Plan, InstancesAreListedInOrder) {
    EXPECT_EQ(instances(scenario_of(example_head + two_of_each)),
              (std::vector<std::string>{"gateway/0", "gateway/1", "inventory/0", "inventory/1"}));
}

TEST(Plan, TimelineFaultsKeepWhatTheyWereGiven) {
    const auto scenario = scenario_of(
        example_head + two_of_each +
        "timeline:\n"
        "  - {at: 9s, fault: {kind: kill, target: inventory/1, restart-after: 2s}}\n"
        "  - {at: 3s, for: 1s, id: slow, fault: {kind: latency, between: [gateway/1, inventory], "
        "delay: 5ms}}\n"
        "  - {at: 4s, fault: {kind: clock-skew, target: database, offset: 1s}}\n"
        "  - {at: 5s, for: 1s, fault: {kind: commit-unknown, rate: 10%}}\n"
        "  - {at: 6s, phase: quiet}\n"
        "  - {at-point: {name: inventory.reserve/commit:before}, fault: {kind: kill}}\n");
    const auto plan = plan_faults(scenario, 1);
    ASSERT_EQ(plan.size(), 5u);
    EXPECT_EQ(plan[0].id, "kill-2");
    EXPECT_TRUE(plan[0].at_point);
    EXPECT_EQ(plan[0].fault.target, "any");
    EXPECT_EQ(plan[1].id, "slow");
    EXPECT_EQ(plan[1].fault.target, "gateway/1");
    EXPECT_EQ(plan[1].fault.between->first, "gateway/1");
    EXPECT_EQ(plan[1].fault.between->second.substr(0, 10), "inventory/");
    EXPECT_EQ(plan[2].id, "clock-skew-1");
    EXPECT_EQ(plan[2].duration, seconds(16));
    EXPECT_EQ(plan[3].fault.target, "database");
    EXPECT_EQ(plan[4].id, "kill-1");
    EXPECT_EQ(plan[4].duration, seconds(2));
    EXPECT_EQ(plan[4].location.line, 10);
}

TEST(Plan, TheSeedPicksAmongTheInstancesOfARole) {
    const auto scenario =
        scenario_of(example_head + two_of_each +
                    "timeline: [{at: 1s, fault: {kind: kill, target: gateway}}]\n");
    std::map<std::string, int> hits;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        ++hits[plan_faults(scenario, seed)[0].fault.target];
    }
    ASSERT_EQ(hits.size(), 2u);
    EXPECT_GT(hits["gateway/0"], 400);
    EXPECT_GT(hits["gateway/1"], 400);
}

TEST(Plan, IsAFunctionOfScenarioAndSeed) {
    const auto scenario = swarm_scenario(all_kinds);
    EXPECT_EQ(texts_of(plan_faults(scenario, 7)), texts_of(plan_faults(scenario, 7)));
    EXPECT_NE(texts_of(plan_faults(scenario, 7)), texts_of(plan_faults(scenario, 8)));
}

TEST(Plan, IsTheSameOnEveryCompilerAndMachine) {
    std::uint64_t hash = 0;
    const auto scenario = swarm_scenario(all_kinds);
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        for (const auto& text : texts_of(plan_faults(scenario, seed))) {
            hash = hash64(text, hash);
        }
    }
    EXPECT_EQ(hash, 6128066553818136483u);
}

TEST(Plan, OneTimelineFaultLessMovesNoOther) {
    const std::string before = "  - {at: 2s, fault: {kind: kill, target: any}}\n";
    const std::string after =
        "  - {at: 4s, id: a, fault: {kind: kill, target: any}}\n"
        "  - {at: 5s, id: b, for: 1s, fault: {kind: pause, target: inventory}}\n";
    const std::string swarm = "swarm: {start: 10s, duration: 1s, kinds: [pause, stop]}\n";
    const std::string head = example_head + two_of_each;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        auto with =
            texts_of(plan_faults(scenario_of(head + "timeline:\n" + before + after + swarm), seed));
        const auto without =
            texts_of(plan_faults(scenario_of(head + "timeline:\n" + after + swarm), seed));
        with.erase(with.begin());
        EXPECT_EQ(with, without);
    }
}

TEST(Plan, OneSwarmKindLessMovesNoOtherFault) {
    // Far apart, so that none is left out for being too close to another.
    const auto swarm = [](const std::string& kinds) {
        return scenario_of(example_head + two_of_each +
                           "swarm: {mean-gap: 1s, duration: 1ms, max-concurrent: 16, kinds: [" +
                           kinds + "]}\n");
    };
    const auto all = swarm("pause, partition, latency: {delay: {min: 1ms, max: 1s}}");
    const auto fewer = swarm("pause, latency: {delay: {min: 1ms, max: 1s}}");
    std::size_t compared = 0;
    std::size_t left_out = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        std::map<Duration, const PlannedFault*> others;
        const auto fewer_plan = plan_faults(fewer, seed);
        for (const auto& planned : fewer_plan) { others[planned.at] = &planned; }
        for (const auto& planned : plan_faults(all, seed)) {
            if (planned.fault.kind == FaultKind::partition) { continue; }
            if (!others.contains(planned.at)) {
                ++left_out;  // what took the partition's slot was too close to it
                continue;
            }
            const PlannedFault& other = *others[planned.at];
            EXPECT_EQ(planned.id, other.id);
            EXPECT_EQ(planned.fault.kind, other.fault.kind);
            EXPECT_EQ(planned.fault.target, other.fault.target);
            EXPECT_EQ(planned.fault.delay, other.fault.delay);
            EXPECT_EQ(planned.duration, other.duration);
            ++compared;
        }
    }
    EXPECT_GT(compared, 200u);
    EXPECT_LE(left_out, 2u);
}

TEST(Plan, TheSwarmObeysItsBounds) {
    const auto scenario = swarm_scenario(all_kinds, "max-concurrent: 2");
    std::set<FaultKind> seen;
    std::set<std::string> targets;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const auto plan = plan_faults(scenario, seed);
        std::set<std::string> ids;
        for (const auto& planned : plan) {
            const Fault& fault = planned.fault;
            EXPECT_TRUE(ids.insert(planned.id).second);
            EXPECT_GE(planned.at, seconds(2));
            EXPECT_LE(planned.at + planned.duration, seconds(15));
            seen.insert(fault.kind);
            targets.insert(fault.target);
            if (fault.kind == FaultKind::kill) {
                EXPECT_EQ(planned.duration, fault.restart_after);
                EXPECT_LE(fault.restart_after, seconds(2));
            } else if (fault.kind == FaultKind::latency) {
                EXPECT_TRUE(fault.delay >= milliseconds(1) && fault.delay <= seconds(1));
            } else if (fault.kind == FaultKind::commit_unknown) {
                EXPECT_TRUE(fault.rate >= 10'000 && fault.rate <= 500'000);
            }
            std::int64_t at_once = 0;
            for (const auto& other : plan) {
                if (other.at <= planned.at && other.at + other.duration > planned.at) { ++at_once; }
            }
            EXPECT_LE(at_once, 2);
        }
    }
    EXPECT_EQ(seen.size(), 9u);
    EXPECT_EQ(targets, (std::set<std::string>{"gateway/0", "gateway/1", "inventory/0",
                                              "inventory/1", "database"}));
}

TEST(Plan, FaultsOfDatabasesHitTheirServers) {
    const std::string replicas =
        "system: {services: {gateway: 2, inventory: 2}, database: postgres, replicas: 2}\n";
    const auto scenario = scenario_of(
        example_head + replicas +
        "timeline:\n"
        "  - {at: 1s, fault: {kind: terminate-backends}}\n"
        "  - {at: 2s, fault: {kind: promote, restart-after: 3s}}\n"
        "  - {at: 3s, for: 1s, fault: {kind: pause-replay}}\n"
        "  - {at: 4s, for: 1s, fault: {kind: disk-slow, target: replica/1, delay: 5ms}}\n"
        "  - {at: 5s, for: 1s, fault: {kind: lock-timeout, timeout: 5ms}}\n"
        "  - {at: 6s, for: 1s, fault: {kind: disk-full}}\n"
        "  - {at: 7s, fault: {kind: kill, target: replica}}\n");
    const auto plan = plan_faults(scenario, 1);
    ASSERT_EQ(plan.size(), 7u);
    EXPECT_EQ(plan[0].fault.target, "database");
    EXPECT_EQ(plan[0].duration, Duration::zero());
    EXPECT_EQ(plan[1].fault.target, "database");
    EXPECT_EQ(plan[1].duration, seconds(3));
    EXPECT_EQ(plan[2].fault.target.substr(0, 8), "replica/");
    EXPECT_EQ(plan[3].fault.target, "replica/1");
    EXPECT_EQ(plan[4].fault.timeout, milliseconds(5));
    EXPECT_EQ(plan[5].fault.target, "database");
    EXPECT_EQ(plan[6].fault.target.substr(0, 8), "replica/");
}

TEST(Plan, NoTwoFaultsAreAboutOneProcessAtOnce) {
    const auto scenario = swarm_scenario("kill, stop, pause, restart");
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        std::map<std::string, Duration> busy_until;
        for (const auto& planned : plan_faults(scenario, seed)) {
            auto& until = busy_until[planned.fault.target];
            EXPECT_GE(planned.at, until);
            until = planned.at + planned.duration;
        }
    }
}

TEST(Plan, EachSeedTurnsEachKindOnWithProbabilityOneHalf) {
    const auto scenario = swarm_scenario("pause, latency: {delay: 1ms}");
    int neither = 0;
    int both = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        std::set<FaultKind> kinds;
        for (const auto& planned : plan_faults(scenario, seed)) {
            kinds.insert(planned.fault.kind);
        }
        neither += kinds.empty() ? 1 : 0;
        both += kinds.size() == 2 ? 1 : 0;
    }
    EXPECT_NEAR(neither, 250, 60);
    EXPECT_NEAR(both, 250, 60);
    const auto always = swarm_scenario("pause", "subset: all");
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        EXPECT_FALSE(plan_faults(always, seed).empty());
    }
}

}  // namespace
}  // namespace rushproof::simulator
