// Goal: whatever is wrong with a file is said with its line, its column and what to write instead.
// Method: a small correct file with one thing wrong at a time, and the exact text of the answer.
#include <gtest/gtest.h>

#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/tests/example.hpp"

namespace rushproof::simulator {
namespace {

struct Wrong {
    std::string lines;  // after the head, from line 8 on
    std::string error;
};

void expect_errors(const std::vector<Wrong>& table) {
    for (const auto& [lines, error] : table) {
        EXPECT_EQ(errors_of(example_head + lines), error) << lines;
    }
}

// The head with one line replaced.
std::string with_line(int number, const std::string& text) {
    std::string out;
    std::string_view rest = example_head;
    for (int line = 1; !rest.empty(); ++line) {
        const auto end = rest.find('\n') + 1;
        out += line == number ? text + '\n' : std::string(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    return out;
}

TEST(ScenarioErrors, TheExampleIsCorrect) { EXPECT_EQ(errors_of(example_head), ""); }

TEST(ScenarioErrors, UnknownKeys) {
    expect_errors({
        {"thresholdz: {}\n",
         "x.yaml:8:1: unknown key \"thresholdz\" | did you mean \"thresholds\"?"},
        {"system: {reservation-tll: 5s}\n",
         "x.yaml:8:10: system: unknown key \"reservation-tll\" | did you mean "
         "\"reservation-ttl\"?"},
        {"system: {services: {orders: 2}}\n",
         "x.yaml:8:21: system.services: unknown key \"orders\" | one of: gateway, inventory"},
        {"Mode: sim\n", "x.yaml:8:1: unknown key \"Mode\" | did you mean \"mode\"?"},
        {"timeline:\n  - {at: 1s, kind: kill, phase: x}\n",
         "x.yaml:9:14: timeline.0: unknown key \"kind\" | it belongs into \"fault\""},
        {"popularity: {dist: uniform, s: 1.1}\n",
         "x.yaml:8:29: popularity: unknown key \"s\" | it belongs to dist zipf, not to uniform"},
    });
}

TEST(ScenarioErrors, WhatLaterVersionsHaveIsUnknownNow) {
    for (const std::string key :
         {"queue: memory", "target: {}", "steady-state-hypothesis: {}", "rollbacks: []",
          "search: {}", "on-failure: {}", "env: {}", "workers: 2",
          "thresholds: {queue.depth: max < 5}", "report: {baseline: main}"}) {
        EXPECT_NE(errors_of(example_head + key + '\n').find("unknown "), std::string::npos) << key;
    }
}

TEST(ScenarioErrors, MissingKeys) {
    EXPECT_EQ(errors_of("rushproof: 1\n"),
              "x.yaml:1:1: \"checks\" is missing | the promises that the history is judged by\n"
              "x.yaml:1:1: \"journeys\" is missing | what a buyer does, step by step\n"
              "x.yaml:1:1: \"load\" is missing | who comes, and when; all loads run together\n"
              "x.yaml:1:1: \"stock\" is missing | what is for sale\n"
              "x.yaml:1:1: \"title\" is missing | what the scenario shows, in one line");
    EXPECT_EQ(errors_of(with_line(5, "load: {b: {journey: buy}}")),
              "x.yaml:5:11: load.b: \"executor\" is missing | one of: constant-arrival-rate, "
              "ramping-arrival-rate, constant-vus");
    expect_errors({
        {"timeline: [{at: 1s}]\n",
         "x.yaml:8:12: timeline.0: one of \"phase\" and \"fault\" and \"switch-queue\" is missing"},
        {"timeline: [{phase: x}]\n",
         "x.yaml:8:12: timeline.0: one of \"at\" and \"at-point\" is missing"},
        {"timeline: [{at: 1s, fault: {kind: pause}}]\n",
         "x.yaml:8:12: timeline.0: \"for\" is missing | say how long the pause lasts"},
    });
}

TEST(ScenarioErrors, TooManyKeys) {
    expect_errors({
        {"seed: 1\nseeds: 1..4\n",
         "x.yaml:9:8: \"seed\" and \"seeds\" exclude each other | leave one out"},
        {"title: Again\n",
         "x.yaml:8:1: the key \"title\" stands here twice | it is on line 2 already"},
        {"timeline: [{at: 1s, at-point: {name: inventory.reserve/commit:after}, phase: x}]\n",
         "x.yaml:8:31: timeline.0: \"at\" and \"at-point\" exclude each other | leave one out"},
        {"timeline: [{at: 1s, for: 1s, fault: {kind: latency, delay: 1ms, target: any, between: "
         "[clients, gateway]}}]\n",
         "x.yaml:8:87: timeline.0.fault: \"target\" and \"between\" exclude each other | leave one "
         "out"},
        {"timeline: [{at: 1s, for: 1s, fault: {kind: kill}}]\n",
         "x.yaml:8:26: timeline.0.for: kill has no \"for\" | write \"restart-after\" in its fault"},
        {"timeline: [{at: 1s, for: 1s, phase: x}]\n",
         "x.yaml:8:26: timeline.0.for: a phase lasts until the next one | leave it out"},
        {"checks: []\n",
         "x.yaml:8:1: the key \"checks\" stands here twice | it is on line 7 already"},
    });
}

TEST(ScenarioErrors, WrongTypes) {
    EXPECT_EQ(errors_of(with_line(4, "stock: lots")),
              "x.yaml:4:8: stock: expected a map, found \"lots\"");
    EXPECT_EQ(errors_of(with_line(5, "load: [a]")),
              "x.yaml:5:7: load: expected a map, with at most 64 names, found a list");
    EXPECT_EQ(errors_of(with_line(2, "title: [a, b]")),
              "x.yaml:2:8: title: expected text, found a list");
    EXPECT_EQ(errors_of(with_line(2, "title:")), "x.yaml:2:1: title: expected text, found nothing");
    EXPECT_EQ(
        errors_of(with_line(7, "checks: no-oversell")),
        "x.yaml:7:9: checks: expected a list, found \"no-oversell\" | begin each of its lines "
        "with a dash: - ...");
    EXPECT_EQ(errors_of(with_line(6, "journeys: {buy: [{reserve: {}, choose: {}}]}")),
              "x.yaml:6:18: journeys.buy.0: expected a map with one key, found a map | begin each "
              "entry with a dash of its own");
    EXPECT_EQ(errors_of("- a\n- b\n"),
              "x.yaml:1:1: expected a map, found a list | its keys begin "
              "with: rushproof, title, stock, load, journeys, checks");
    EXPECT_EQ(errors_of(""),
              "x.yaml:1:1: expected a map, found nothing | its keys begin with: "
              "rushproof, title, stock, load, journeys, checks");
    expect_errors({
        {"system: {services: {gateway: two}}\n",
         "x.yaml:8:30: system.services.gateway: expected a whole number, found \"two\" | from 1 to "
         "16"},
        {"system: {services: {gateway: \"2\"}}\n",
         "x.yaml:8:30: system.services.gateway: expected a whole number, found \"2\" | from 1 to "
         "16"},
        {"system: {services: {gateway: 17}}\n",
         "x.yaml:8:30: system.services.gateway: expected a whole number, found \"17\" | from 1 to "
         "16"},
        {"popularity: {dist: zipf, s: 11}\n",
         "x.yaml:8:29: popularity.s: expected a number, found \"11\" | from 0 to 10"},
        {"seeds: 5..1\n",
         "x.yaml:8:8: seeds: expected a seed or a range of seeds, found \"5..1\" | "
         "write it like 7, 1..500 or [1, 2, 5..9]"},
        {"seeds: 1..1000000\n", "x.yaml:8:8: seeds: too many seeds | at most 100000"},
    });
}

TEST(ScenarioErrors, WrongUnits) {
    expect_errors({
        {"system: {reservation-ttl: 80}\n",
         "x.yaml:8:27: system.reservation-ttl: expected a duration, "
         "found the bare number 80 | add a unit: 80ms, 80s or 80m"},
        {"system: {reservation-ttl: 5sec}\n",
         "x.yaml:8:27: system.reservation-ttl: expected a duration, found \"5sec\" | write it like "
         "80ms, "
         "1.5s or 2m (units ns us ms s m h)"},
        {"system: {reservation-ttl: 0s}\n",
         "x.yaml:8:27: system.reservation-ttl: \"0s\" is out of range | from 1ms to 24h"},
        {"swarm: {duration: 1s, kinds: [commit-unknown: {rate: 30}]}\n",
         "x.yaml:8:54: swarm.kinds.0.commit-unknown.rate: expected a share from 0 to 1 or from 0% "
         "to "
         "100%, found \"30\" | write 30%"},
        {"swarm: {duration: 1s, kinds: [clock-drift: {drift: 30}]}\n",
         "x.yaml:8:52: swarm.kinds.0.clock-drift.drift: expected parts per million, found the bare "
         "number 30 | add the unit: 30ppm"},
    });
    EXPECT_EQ(
        errors_of(
            with_line(5, "load: {b: {executor: constant-arrival-rate, rate: 400, journey: buy}}")),
        "x.yaml:5:51: load.b.rate: expected a rate, found the bare number 400 | add its unit, per "
        "second: 400/s");
}

TEST(ScenarioErrors, WordsThatOtherYamlReadersTakeForSomethingElse) {
    for (const std::string word : {"no", "yes", "on", "Off", "y", "N", "true", "5", "5.5", "1e3",
                                   "0x1F", "1:30", "2026-01-01"}) {
        EXPECT_EQ(errors_of(with_line(2, "title: " + word)),
                  "x.yaml:2:8: title: \"" + word +
                      "\" is not text to every YAML reader | put it in "
                      "quotes: \"" +
                      word + '"');
        EXPECT_EQ(errors_of(with_line(2, "title: \"" + word + '"')), "");
    }
    expect_errors({
        {"thresholds: {load.shed: {expr: count == 0, allow-empty: yes}}\n",
         "x.yaml:8:57: thresholds.load.shed.allow-empty: expected true or false, found \"yes\" | "
         "write "
         "true"},
        {"thresholds: {load.shed: {expr: count == 0, allow-empty: maybe}}\n",
         "x.yaml:8:57: thresholds.load.shed.allow-empty: expected true or false, found \"maybe\""},
        {"on: {}\n",
         "x.yaml:8:1: unknown key \"on\" | one of: rushproof, title, description, tags, mode, "
         "seed, seeds, duration, timeout-minutes, strategy, schedule, system, stock, "
         "popularity, load, journeys, timeline, swarm, checks, thresholds, expect, report"},
    });
}

TEST(ScenarioErrors, UnknownWords) {
    EXPECT_EQ(
        errors_of(with_line(7, "checks: [no-overselling]")),
        "x.yaml:7:10: checks.0: unknown word \"no-overselling\" | did you mean \"no-oversell\"?");
    EXPECT_EQ(errors_of(with_line(7, "checks: [no-oversell: {grace: 1s}]")),
              "x.yaml:7:24: checks.0.no-oversell: unknown key \"grace\"");
    EXPECT_EQ(errors_of(with_line(7, "checks: [lifecycle, lifecycle]")),
              "x.yaml:7:21: checks.1: this check is listed already");
    expect_errors({
        {"mode: simulated\n",
         "x.yaml:8:7: mode: \"simulated\" is not known here | one of: sim, live, both"},
        {"system: {reservation: optimisic}\n",
         "x.yaml:8:23: system.reservation: \"optimisic\" is not known here | did you mean "
         "\"optimistic\"?"},
        {"timeline: [{at: 1s, fault: {kind: kil}}]\n",
         "x.yaml:8:35: timeline.0.fault.kind: \"kil\" is not known here | did you mean \"kill\"?"},
        {"report: {formats: [pdf]}\n",
         "x.yaml:8:20: report.formats.0: \"pdf\" is not known here | one of: html, json, junit, "
         "github, "
         "markdown"},
    });
}

TEST(ScenarioErrors, NamesOfThingsThatAreNotThere) {
    EXPECT_EQ(errors_of(with_line(5, "load: {b: {executor: constant-vus, vus: 1, journey: buyy}}")),
              "x.yaml:5:53: load.b.journey: no journey \"buyy\" | did you mean \"buy\"?");
    EXPECT_EQ(
        errors_of(with_line(
            6, "journeys: {buy: [{retry: {when: [503], max: 1}}, {reserve: {sku: SKU-6}}]}")),
        "x.yaml:6:66: journeys.buy.1.reserve.sku: no SKU \"SKU-6\" in stock | SKU-1 to SKU-5");
    EXPECT_EQ(
        errors_of(with_line(6, "journeys: {buy: [{choose: {confirm: 1}}]}")),
        "x.yaml:6:18: journeys.buy.0: there is nothing to choose about yet | reserve before it");
    expect_errors({
        {"system: {shards: 2}\n",
         "x.yaml:8:18: system.shards: some of the shards would have no instance of inventory | set "
         "services.inventory to 2 or more"},
        {"popularity: {dist: fixed, sku: PHONE}\n",
         "x.yaml:8:32: popularity.sku: no SKU \"PHONE\" in stock | SKU-1 to SKU-5"},
        {"timeline: [{at: 1s, fault: {kind: kill, target: inventory/1}}]\n",
         "x.yaml:8:49: timeline.0.fault.target: no instance \"inventory/1\" | did you mean "
         "\"inventory/0\"?"},
        {"timeline: [{at: 1s, fault: {kind: kill, target: clients}}]\n",
         "x.yaml:8:49: timeline.0.fault.target: no instance \"clients\" | one of: gateway/0, "
         "inventory/0, "
         "database, any, gateway, inventory"},
        {"timeline: [{at: 1s, for: 1s, fault: {kind: partition, between: [clients, inventory]}}]\n",
         "x.yaml:8:64: timeline.0.fault.between: \"clients\" and \"inventory\" never talk to each "
         "other | "
         "the links are clients - gateway - inventory - database and its replicas"},
        {"swarm: {duration: 1s, kinds: [kill: {target: orders}]}\n",
         "x.yaml:8:46: swarm.kinds.0.kill.target: no instance \"orders\" | one of: gateway/0, "
         "inventory/0, database, any, gateway, inventory"},
        {"thresholds: {load.shed: {expr: count == 0, during: \"load:buyer\"}}\n",
         "x.yaml:8:52: thresholds.load.shed.during: the scenario has no \"load:buyer\" | did you "
         "mean "
         "\"load:buyers\"?"},
        {"timeline: [{at: 1s, phase: calm}]\nthresholds:\n  load.shed:\n    - count == 0\n    - "
         "{expr: "
         "count == 0, during: \"phase:clam\"}\n",
         "x.yaml:12:34: thresholds.load.shed.1.during: the scenario has no \"phase:clam\" | did "
         "you mean "
         "\"phase:calm\"?"},
        {"expect: [{fail: [idempotent]}]\n",
         "x.yaml:8:18: expect.0.fail.0: \"idempotent\" is not among the checks of this file | one "
         "of: "
         "no-oversell"},
        {"expect: [{when: {reservation: naive}, fail: [no-oversell]}]\n",
         "x.yaml:8:31: expect.0.when.reservation: no axis \"reservation\" in the matrix"},
        {"strategy: {matrix: {ttl: [1s, 2s]}}\nexpect: [{when: {ttl: 3s}, fail: [no-oversell]}]\n",
         "x.yaml:9:23: expect.0.when.ttl: \"3s\" is no value of matrix.ttl | did you mean \"1s\"?"},
    });
}

TEST(ScenarioErrors, Timeline) {
    expect_errors({
        {"timeline: [{at: 20s, phase: late}]\n",
         "x.yaml:8:17: timeline.0.at: 20s is not before the end of the run | the run lasts 20s"},
        {"timeline:\n  - {at: 1s, phase: a}\n  - {at: 2s, phase: a}\n",
         "x.yaml:10:21: timeline.1.phase: there is a phase \"a\" already | each begins once"},
        {"timeline:\n  - {at: 1s, id: a, fault: {kind: kill}}\n  - {at: 2s, id: a, fault: {kind: "
         "stop}}\n",
         "x.yaml:10:18: timeline.1.id: there is a fault \"a\" already | an id is for one fault"},
        {"timeline: [{at: 1s, id: swarm-1, fault: {kind: kill}}]\n",
         "x.yaml:8:25: timeline.0.id: names that begin with \"swarm-\" are for the swarm"},
        {"timeline: [{at-point: {name: reserve/commit}, fault: {kind: kill}}]\n",
         "x.yaml:8:30: timeline.0.at-point.name: \"reserve/commit\" is no call of a service | "
         "write it like "
         "inventory.reserve/commit:before"},
        {"swarm: {start: 15s, quiet-tail: 5s, duration: 1s, kinds: [kill]}\n",
         "x.yaml:8:8: swarm: 20s is not before the end of the run | the run lasts 20s"},
        {"swarm: {duration: {dist: lognormal, median: 1s, sigma: 1}, kinds: [kill]}\n",
         "x.yaml:8:26: swarm.duration.dist: the length of a fault cannot be lognormal | one of: "
         "constant, "
         "uniform, exponential"},
        {"swarm: {duration: 1s, kinds: [kill: {restart-after: {min: 2s, max: 1s}}]}\n",
         "x.yaml:8:68: swarm.kinds.0.kill.restart-after.max: is less than min | swap them"},
        {"timeline: [{at: 1s, fault: {kind: kill, restart-after: {min: 1s, max: 2s}}}]\n",
         "x.yaml:8:56: timeline.0.fault.restart-after: expected a duration, found a map"},
    });
}

TEST(ScenarioErrors, Thresholds) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"reserve.latency: p(99) < 80",
         "x.yaml:9:20: thresholds.reserve.latency: expected a duration, found "
         "the bare number 80 | add a unit: 80ms, 80s or 80m"},
        {"reserve.latency: p99 < 80ms",
         "x.yaml:9:20: thresholds.reserve.latency: \"p99\" cannot be asked of "
         "this metric | one of: p(99), min, max, mean, count"},
        {"reserve.latency: p(101) < 80ms",
         "x.yaml:9:20: thresholds.reserve.latency: \"p(101)\" cannot be asked of this metric | one "
         "of: "
         "p(99), min, max, mean, count"},
        {"reserve.latency: fast",
         "x.yaml:9:20: thresholds.reserve.latency: \"fast\" compares nothing | write "
         "it like p(99) < 80ms"},
        {"reserve.errors: p(99) < 1",
         "x.yaml:9:19: thresholds.reserve.errors: \"p(99)\" cannot be asked of "
         "this metric | one of: rate, count"},
        {"reserve.errors: rate < 2",
         "x.yaml:9:19: thresholds.reserve.errors: expected a share from 0 to 1 or "
         "from 0% to 100%, found \"2\" | write 2%"},
        {"reserve.latancy: p(99) < 8ms",
         "x.yaml:9:3: thresholds: unknown metric \"reserve.latancy\" | did you mean "
         "\"reserve.latency\"?"},
    };
    for (const auto& [line, error] : table) {
        EXPECT_EQ(errors_of(example_head + "thresholds:\n  " + line + '\n'), error) << line;
    }
}

TEST(ScenarioErrors, LiveRunsRefuseWhatRealProcessesCannotSuffer) {
    const std::string hint = " | run it in virtual time (mode: sim), or leave it out";
    for (const std::string mode : {"mode: live\n", "mode: both\n"}) {
        EXPECT_EQ(
            errors_of(
                example_head + mode +
                "timeline:\n"
                "  - {at: 1s, fault: {kind: kill}}\n"
                "  - {at: 2s, for: 1s, fault: {kind: latency, delay: 1s}}\n"
                "  - {at-point: {name: inventory.reserve/commit:before}, fault: {kind: kill}}\n"
                "  - {at: 4s, fault: {kind: kill, target: database}}\n"),
            "x.yaml:11:30: timeline.1.fault: latency works in virtual time only: real processes "
            "can be "
            "killed, stopped, paused and restarted" +
                hint +
                "\nx.yaml:12:16: timeline.2.at-point: works in virtual time only: a real process "
                "cannot be "
                "stopped exactly there" +
                hint +
                "\nx.yaml:13:21: timeline.3.fault: in a live run the database is a file, not a "
                "process" +
                hint);
    }
    EXPECT_EQ(
        errors_of(example_head + "mode: live\nswarm: {duration: 1s, kinds: [kill, partition]}\n"),
        "x.yaml:9:37: swarm.kinds.1: partition works in virtual time only: real processes can be "
        "killed, "
        "stopped, paused and restarted" +
            hint);
    EXPECT_EQ(
        errors_of(example_head + "system: {clock: {skew-max: 1s}}\n", {"mode=live"}),
        "x.yaml:8:28: system.clock.skew-max: works in virtual time only: real processes share the "
        "machine's clock" +
            hint);
}

TEST(ScenarioErrors, DatabasesHaveWhatTheirFaultsNeed) {
    expect_errors({
        {"timeline: [{at: 1s, fault: {kind: promote}}]\n",
         "x.yaml:8:28: timeline.0.fault.target: promote needs a standby | set system.replicas to 1 "
         "or more"},
        {"timeline: [{at: 1s, fault: {kind: terminate-backends, target: gateway/0}}]\n",
         "x.yaml:8:63: timeline.0.fault.target: \"gateway/0\" is no server of a database that can "
         "have this | one of: database"},
        {"timeline: [{at: 1s, for: 1s, fault: {kind: terminate-backends}}]\n",
         "x.yaml:8:26: timeline.0.for: terminate-backends has no \"for\" | leave it out"},
        {"timeline: [{at: 1s, for: 1s, fault: {kind: disk-slow}}]\n",
         "x.yaml:8:37: timeline.0.fault: \"delay\" is missing | added to each message, or to each "
         "flush of the log"},
        {"timeline: [{at: 1s, fault: {kind: kill, target: replica/0}}]\n",
         "x.yaml:8:49: timeline.0.fault.target: no instance \"replica/0\" | one of: gateway/0, "
         "inventory/0, database, any, gateway, inventory"},
        {"system: {replicas: 1, synchronous-standbys: 2}\n",
         "x.yaml:8:45: system.synchronous-standbys: no commit would ever end: it would wait for 2 "
         "standbys of 1 | set replicas to as many or more"},
        {"system: {replicas: 1, database: sqlite}\n",
         "x.yaml:8:20: system.replicas: SQLite has no replicas | leave it out"},
    });
    const std::string hint = " | run it in virtual time (mode: sim), or leave it out";
    EXPECT_EQ(errors_of(example_head +
                        "mode: live\nsystem: {database: postgres, replicas: 2, replica-lag: 1s}\n"
                        "timeline:\n"
                        "  - {at: 1s, fault: {kind: promote, split-brain: true}}\n"
                        "  - {at: 1s, for: 1s, fault: {kind: disk-full}}\n"
                        "  - {at: 2s, for: 1s, fault: {kind: pause-replay}}\n"),
              "x.yaml:9:40: system.replicas: in a live run a database has one replica at most" +
                  hint +
                  "\nx.yaml:9:56: system.replica-lag: works in virtual time only: a real replica "
                  "lags as it may" +
                  hint +
                  "\nx.yaml:11:50: timeline.0.fault.split-brain: works in virtual time only: real "
                  "clients ask which server takes writes" +
                  hint +
                  "\nx.yaml:12:30: timeline.1.fault: disk-full works in virtual time only: real "
                  "processes can be killed, stopped, paused and restarted" +
                  hint);
}

TEST(ScenarioErrors, SeveralAreReportedAtOnceInTheOrderOfTheFile) {
    EXPECT_EQ(
        errors_of(
            "rushproof: 1\ntitel: x\nduration: 80\nstock: {skus: -1}\n"
            "load: {b: {executor: constant-vus, vus: 3}}\njourneys: {}\nchecks: [no-oversel]\n"),
        "x.yaml:2:1: unknown key \"titel\" | did you mean \"title\"?\n"
        "x.yaml:3:11: duration: expected a duration, found the bare number 80 | add a unit: 80ms, "
        "80s or "
        "80m\n"
        "x.yaml:4:15: stock.skus: expected a whole number, found \"-1\" | from 0 to 1000000\n"
        "x.yaml:5:11: load.b: \"journey\" is missing | what each of them does\n"
        "x.yaml:7:10: checks.0: unknown word \"no-oversel\" | did you mean \"no-oversell\"?");
}

TEST(ScenarioErrors, AnotherVersionIsAllThatIsSaid) {
    EXPECT_EQ(
        errors_of("rushproof: 2\nfuture: true\n"),
        "x.yaml:1:12: format version \"2\" is not supported | this program reads rushproof: 1");
}

TEST(ScenarioErrors, ManyErrorsAreCutOff) {
    std::string lines;
    for (int number = 0; number < 1000; ++number) {
        lines += "key" + std::to_string(number) + ": 1\n";
    }
    const auto parsed = parse(example_head + lines);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().size(), limits::diagnostics_max);
}

}  // namespace
}  // namespace rushproof::simulator
