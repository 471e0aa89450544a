// Goal: one file gives the right runs: every cell of its matrix, with overrides applied and
// `expect` matched; and what is wrong with any of that is said. Method: small files, the scenarios
// that they give, and the exact texts of errors and warnings.
#include <gtest/gtest.h>

#include "simulator/scenario/tests/example.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> cells_of(const tl::expected<ParsedFile, std::vector<Diagnostic>>& parsed) {
    std::vector<std::string> cells;
    for (const auto& scenario : parsed.value().scenarios) {
        std::string text;
        for (const auto& [axis, value] : scenario.cell) { text += axis + '=' + value + ' '; }
        cells.push_back(text);
    }
    return cells;
}

std::vector<std::string> warnings_of(std::string_view text,
                                     std::vector<std::string> overrides = {}) {
    std::vector<std::string> warnings;
    const auto parsed = parse(text, std::move(overrides));
    for (const auto& warning : parsed.value().warnings) { warnings.push_back(to_string(warning)); }
    return warnings;
}

TEST(Matrix, WithoutOneThereIsOneCell) {
    const auto parsed = parse(example_head);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(cells_of(parsed), std::vector<std::string>{""});
    EXPECT_TRUE(parsed->fail_fast);
}

TEST(Matrix, TheFirstAxisVariesSlowestAndCellsCanBeLeftOut) {
    const auto parsed = parse(example_head +
                              "strategy:\n"
                              "  fail-fast: false\n"
                              "  matrix:\n"
                              "    reservation: [conditional, naive]\n"
                              "    gateways: [1, 2]\n"
                              "    exclude: [{reservation: naive, gateways: 2}]\n"
                              "system:\n"
                              "  reservation: ${{ matrix.reservation }}\n"
                              "  services: {gateway: \"${{matrix.gateways}}\"}\n"
                              "description: ${{ matrix.reservation }} on ${{ matrix.gateways }}\n");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(cells_of(parsed), (std::vector<std::string>{"reservation=conditional gateways=1 ",
                                                          "reservation=conditional gateways=2 ",
                                                          "reservation=naive gateways=1 "}));
    EXPECT_FALSE(parsed->fail_fast);
    const Scenario& last = parsed->scenarios.back();
    EXPECT_EQ(last.system.reservation, "naive");
    EXPECT_EQ(last.system.gateways, 1);
    EXPECT_EQ(last.description, "naive on 1");
}

TEST(Matrix, ExpectIsMatchedAgainstTheCell) {
    const auto parsed =
        parse(example_head +
              "strategy: {matrix: {reservation: [conditional, naive], ttl: [1s, 2s]}}\n"
              "expect:\n"
              "  - {when: {reservation: naive, ttl: 2s}, fail: [no-oversell]}\n");
    ASSERT_TRUE(parsed);
    const auto& cells = parsed->scenarios;
    ASSERT_EQ(cells.size(), 4u);
    EXPECT_TRUE(cells[2].expected_failures.empty());
    EXPECT_EQ(cells[3].expected_failures, std::vector<std::string>{"no-oversell"});
    EXPECT_EQ(cells[3].expect_location.line, 10);
    EXPECT_EQ(scenario_of(example_head + "expect: [{fail: [no-oversell]}]\n").expected_failures,
              std::vector<std::string>{"no-oversell"});
}

TEST(Matrix, ErrorsPointAtTheValueThatIsWrong) {
    EXPECT_EQ(errors_of(example_head + "strategy: {matrix: {how: [conditional, optimisic]}}\n"
                                       "system: {reservation: \"${{ matrix.how }}\"}\n"),
              "x.yaml:8:40: system.reservation: \"optimisic\" is not known here | did you mean "
              "\"optimistic\"?");
    EXPECT_EQ(errors_of(example_head + "strategy: {matrix: {how: [a]}}\n"
                                       "description: ${{ matrix.who }}\n"),
              "x.yaml:9:14: unknown expression \"matrix.who\" | did you mean \"matrix.how\"?");
    EXPECT_EQ(errors_of(example_head + "description: ${{ env.HOME }}\n"),
              "x.yaml:8:14: unknown expression \"env.HOME\" | the file has no strategy.matrix");
    EXPECT_EQ(errors_of(example_head + "description: ${{ matrix.a\n"),
              "x.yaml:8:14: \"${{\" without \"}}\" | write ${{ matrix.axis }}");
    EXPECT_EQ(
        errors_of(example_head + "strategy: {matrix: {how: a}}\n"),
        "x.yaml:8:26: strategy.matrix.how: expected a list, found \"a\" | begin each of its lines "
        "with a dash: - ...");
    EXPECT_EQ(errors_of(example_head + "strategy: {matrix: {how: [a], exclude: [{how: a}]}}\n"),
              "x.yaml:8:40: strategy.matrix.exclude: every cell of the matrix is left out");
    EXPECT_EQ(errors_of(example_head + "strategy: {matrix: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9], "
                                       "b: [1, 2, 3, 4, 5, 6, 7, 8]}}\n"),
              "x.yaml:8:20: strategy.matrix: the matrix has too many cells | at most 64");
}

TEST(Overrides, ReplaceAnyValue) {
    const std::string text = example_head +
                             "thresholds: {reserve.latency: [p(99) < 80ms]}\n"
                             "timeline: [{at: 1s, fault: {kind: kill}}]\n";
    const auto scenario =
        scenario_of(text, {"duration=5s", "seeds=1..5", "load.buyers.vus=7", "timeline.0.at=2s",
                           "thresholds.reserve.latency.0=p(50) < 1ms", "system.services.gateway=3",
                           "stock={skus: 9}", "mode=sim"});
    EXPECT_EQ(scenario.duration, seconds(5));
    EXPECT_EQ(scenario.seeds.size(), 5u);
    EXPECT_EQ(scenario.loads[0].vus, 7);
    EXPECT_EQ(scenario.timeline[0].at, seconds(2));
    EXPECT_EQ(scenario.thresholds[0].limit, 1e6);
    EXPECT_EQ(scenario.system.gateways, 3);
    EXPECT_EQ(scenario.stock.skus, 9);
}

TEST(Overrides, SeedAndSeedsAreOneThing) {
    EXPECT_EQ(scenario_of(example_head + "seed: 7\n", {"seeds=1..3"}).seeds.size(), 3u);
    EXPECT_EQ(scenario_of(example_head + "seeds: 1..3\n", {"seed=9"}).seeds,
              std::vector<std::uint64_t>{9});
}

TEST(Overrides, LaterOnesWin) {
    EXPECT_EQ(scenario_of(example_head, {"duration=5s", "duration=6s"}).duration, seconds(6));
}

TEST(Overrides, ErrorsNameThePath) {
    EXPECT_EQ(errors_of(example_head, {"load.buyer.vus=3"}),
              "--set load.buyer.vus=3: no \"buyer\" in load | did you mean \"buyers\"?");
    EXPECT_EQ(errors_of(example_head, {"checks.1=idempotent"}),
              "--set checks.1=idempotent: no item \"1\" in checks | it has the items 0 to 0");
    EXPECT_EQ(errors_of(example_head, {"title.x=y"}),
              "--set title.x=y: title is \"Example\" and has no \"x\"");
    EXPECT_EQ(errors_of(example_head, {"duration=5"}),
              "--set duration=5: duration: expected a duration, found the bare number 5 | add a "
              "unit: 5ms, "
              "5s or 5m");
    EXPECT_EQ(errors_of(example_head, {"load.buyers.vsu=3"}),
              "--set load.buyers.vsu=3: load.buyers: unknown key \"vsu\" | did you mean \"vus\"?");
    EXPECT_EQ(errors_of(example_head, {"duration"}),
              "--set duration: an override is a path, '=' and a value | write it like --set "
              "load.flash.rate=400/s");
    EXPECT_EQ(errors_of(example_head, {"seeds=[1"}).substr(0, 25), "--set seeds=[1: not YAML:");
}

TEST(Overrides, AShorterRunLeavesOutWhatItDoesNotReach) {
    const std::string text =
        "rushproof: 1\ntitle: x\nduration: 20s\nstock: {skus: 5}\n"
        "load:\n"
        "  a: {executor: constant-vus, vus: 3, journey: buy}\n"
        "  b: {executor: constant-vus, vus: 3, journey: buy, start-time: 10s}\n"
        "journeys: {buy: [reserve]}\n"
        "timeline:\n"
        "  - {at: 1s, phase: early}\n"
        "  - {at: 10s, id: x, fault: {kind: kill}}\n"
        "checks: [no-oversell]\n"
        "thresholds:\n"
        "  reserve.latency:\n"
        "    - {expr: p(99) < 1s, during: \"fault:x\"}\n"
        "    - {expr: p(99) < 1s, during: \"load:b\"}\n"
        "    - {expr: p(99) < 1s, during: \"phase:early\"}\n";
    EXPECT_EQ(warnings_of(text, {"duration=5s"}),
              (std::vector<std::string>{
                  "x.yaml:7:65: load.b.start-time: 10s is left out: the run ends at 5s",
                  "x.yaml:11:10: timeline.1.at: 10s is left out: the run ends at 5s"}));
    const auto scenario = scenario_of(text, {"duration=5s"});
    EXPECT_EQ(scenario.loads.size(), 1u);
    EXPECT_EQ(scenario.timeline.size(), 1u);
    ASSERT_EQ(scenario.thresholds.size(), 1u);
    EXPECT_EQ(scenario.thresholds[0].during, "phase:early");
}

TEST(Warnings, SpellingsOfK6AndUnusedJourneys) {
    EXPECT_EQ(
        warnings_of("rushproof: 1\ntitle: x\nstock: {skus: 5}\n"
                    "load: {a: {executor: constant-vus, vus: 3, journey: buy, startTime: 1s}}\n"
                    "journeys:\n  buy: [reserve]\n  idle: [read]\n"
                    "checks: [no-oversell]\n"),
        (std::vector<std::string>{
            "x.yaml:4:58: load.a: \"startTime\" is k6's spelling\n    write \"start-time\"",
            "x.yaml:7:9: journeys.idle: no load uses this journey"}));
}

TEST(Warnings, ReadsOfAReplicaThatAreJudgedAsIfItNeverLagged) {
    const auto warnings = [](const std::string& system, const std::string& rest) {
        return warnings_of("rushproof: 1\ntitle: x\nsystem: " + system +
                           "\nstock: {skus: 5}\n"
                           "load: {a: {executor: constant-vus, vus: 3, journey: look}}\n"
                           "journeys:\n  look: [reserve, find, read]\n" +
                           rest);
    };
    const std::string judged = "checks: [no-oversell, linearizable]\n";
    EXPECT_EQ(warnings("{replicas: 1, reads: replica}", judged),
              (std::vector<std::string>{
                  "x.yaml:7:25: journeys.look.2: a replica that lags answers this read rightly, "
                  "and linearizable fails\n"
                  "    set system.reads to primary, or leave linearizable out of the checks"}));
    EXPECT_TRUE(warnings("{replicas: 1}", judged).empty());
    EXPECT_TRUE(warnings("{reads: replica}", judged).empty());
    EXPECT_TRUE(warnings("{replicas: 1, reads: replica}", "checks: [no-oversell]\n").empty());
    EXPECT_TRUE(
        warnings("{replicas: 1, reads: replica}", judged + "expect: [{fail: [linearizable]}]\n")
            .empty());
}

}  // namespace
}  // namespace rushproof::simulator
