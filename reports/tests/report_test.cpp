// Goal: every format says the same verdict, survives hostile texts, and run.json gives back what
// went in.  Method: one passing, one failing and one negative-control run, made by hand.
#include "reports/report.hpp"

#include <gtest/gtest.h>

#include "core/base/keyed_random.hpp"
#include "reports/chart.hpp"
#include "reports/summary.hpp"

namespace rushproof::reports {
namespace {

using simulator::CheckRecord;
using simulator::OperationMetrics;

RunRecord sample_run(std::uint64_t seed, const std::string& strategy) {
    RunRecord run;
    run.scenario = "scenarios/fast/flash-sale.yaml";
    run.title = "Flash sale";
    run.description = "Everybody wants <the> one \"console\".";
    run.seed = seed;
    run.world = "sim";
    run.cell = {{"reservation", strategy}};
    run.verdict = "pass";
    run.trace_hash = "0123456789abcdef0123456789abcdef";
    run.build = "0.1.0 clang 19";
    run.checks = {{.name = "no-oversell",
                   .verdict = "pass",
                   .sentence = "500 held of 500",
                   .witness = {},
                   .operations = 1200,
                   .line = 12}};
    run.thresholds = {{.metric = "reserve.latency",
                       .expression = "p(99) < 80ms",
                       .verdict = "pass",
                       .measured = 2.5e7,
                       .samples = 1200,
                       .line = 20}};
    run.faults = {{.id = "kill-1",
                   .kind = "kill",
                   .target = "inventory/0",
                   .planned = 2'000'000'000,
                   .began = 2'000'000'000,
                   .ended = 3'000'000'000,
                   .evidence = "3 calls lost",
                   .line = 30}};
    run.switches = {{.id = "switch-queue-1",
                     .from = "memory",
                     .to = "nats",
                     .outcome = "done",
                     .epoch = 3,
                     .began = 4'000'000'000,
                     .duration = 1'200'000'000,
                     .carried_over = 35,
                     .error = ""}};
    run.ledger = {{.sku = "CONSOLE-X", .initial = 500, .on_hand = 0, .held = 0, .sold = 500}};
    RandomStream random = keyed_stream(seed, "report");
    OperationMetrics reserve;
    reserve.operation = "reserve";
    for (int i = 0; i < 1200; ++i) {
        reserve.latency.record(1'000'000 + random.exponential(Duration(3'000'000)).count());
    }
    reserve.started = reserve.attempts = 1200;
    reserve.succeeded = 500;
    reserve.refused = 690;
    reserve.unknown = 10;
    for (int second = 0; second < 6; ++second) {
        reserve.slices.push_back({.second = second,
                                  .count = 200,
                                  .errors = 2,
                                  .p50 = 3'000'000,
                                  .p99 = 9'000'000 + second * 1'000'000});
    }
    run.metrics.operations = {reserve};
    run.metrics.duration = 6'000'000'000;
    run.latency_verdict = "judged";
    run.replay = "rushproof run scenarios/fast/flash-sale.yaml --seed " + std::to_string(seed);
    return run;
}

RunRecord failing_run() {
    RunRecord run = sample_run(7, "naive");
    run.verdict = "fail";
    run.exit_code = 90;
    run.checks[0].verdict = "fail";
    run.checks[0].sentence = "at t=2.431 s 21 units were held & only 20 existed";
    run.checks[0].witness = {"t=2.430 s  client 3  reserve 1 of SKU-1 -> ok",
                             "t=2.431 s  client 9  reserve 1 of SKU-1 -> ok"};
    return run;
}

TEST(RunJson, GivesBackWhatWentIn) {
    const RunRecord run = failing_run();
    const auto copy = parse_run_json(run_json(run));
    ASSERT_TRUE(copy) << copy.error().message();
    EXPECT_EQ(run_json(*copy), run_json(run));
    EXPECT_EQ(copy->checks[0].witness, run.checks[0].witness);
    EXPECT_EQ(copy->metrics.operations[0].latency.quantile(0.99),
              run.metrics.operations[0].latency.quantile(0.99));
}

TEST(RunJson, NamesTheMemberThatIsWrong) {
    std::string text = run_json(sample_run(1, "optimistic"));
    text.replace(text.find("\"seed\":1"), 8, "\"seed\":\"x\"");
    const auto result = parse_run_json(text);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message().find("run.seed must be a number"), std::string::npos)
        << result.error().message();
    EXPECT_FALSE(parse_run_json("{"));
    EXPECT_FALSE(parse_run_json("[]"));
    EXPECT_FALSE(parse_run_json("{\"rushproof-run\":2}"));
}

TEST(Report, EveryFormatTellsTheFailure) {
    const std::vector<RunRecord> runs{sample_run(1, "conditional"), failing_run()};
    for (const std::string& text :
         {terminal_report(runs), junit_report(runs), github_annotations(runs),
          markdown_report(runs), html_report(runs)}) {
        EXPECT_NE(text.find("no-oversell"), std::string::npos) << text;
        EXPECT_NE(text.find("21 units were held"), std::string::npos) << text;
        EXPECT_NE(text.find("--seed 7"), std::string::npos) << text;
    }
    EXPECT_EQ(worst_verdict(runs), "fail");
    EXPECT_NE(github_annotations(runs).find("file=scenarios/fast/flash-sale.yaml,line=12"),
              std::string::npos);
    EXPECT_NE(junit_report(runs).find("failures=\"1\""), std::string::npos);
}

TEST(Report, SwitchesOfTheQueueAreTold) {
    const std::vector<RunRecord> runs{sample_run(1, "conditional"), sample_run(2, "conditional")};
    const std::string terminal = terminal_report(runs);
    EXPECT_NE(terminal.find("switches of the queue: 2 done; longest 1.20 s, 70 messages carried "
                            "over"),
              std::string::npos)
        << terminal;
    EXPECT_NE(html_report(runs).find("Switches of the queue"), std::string::npos);
    EXPECT_NE(run_json(runs[0]).find(R"("carried_over":35)"), std::string::npos);
}

TEST(Report, WithoutReservationsTheMainOperationsLatencyIsShown) {
    std::vector<RunRecord> runs{sample_run(1, "conditional")};
    EXPECT_EQ(p50_title(runs), "reserve p50");
    runs[0].metrics.operations[0].operation = "ingest";
    EXPECT_EQ(p50_title(runs), "ingest p50");
    EXPECT_GT(group_by_cell(runs)[0].latency.quantile(0.5), 0);
    EXPECT_NE(latency_over_time(runs[0]).find("p50 and p99 of ingest"), std::string::npos);
    runs.push_back(sample_run(2, "conditional"));
    EXPECT_EQ(p50_title(runs), "p50");
}

TEST(Report, MarkupIsEscaped) {
    const std::vector<RunRecord> runs{failing_run()};
    EXPECT_EQ(html_report(runs).find("<the>"), std::string::npos);
    EXPECT_NE(junit_report(runs).find("held &amp; only"), std::string::npos);
}

TEST(Report, NegativeControlIsCaughtNotFailed) {
    RunRecord control = failing_run();
    control.verdict = "pass";
    control.exit_code = 0;
    control.checks[0].expected = true;
    const std::vector<RunRecord> runs{sample_run(1, "conditional"), control};
    EXPECT_TRUE(github_annotations(runs).empty());
    EXPECT_NE(terminal_report(runs).find("caught by no-oversell"), std::string::npos);
    EXPECT_NE(headline(runs).find("PASS: 2 runs"), std::string::npos);
    // A control that passes its check is a finding: the check may be blind.
    control.checks[0].verdict = "pass";
    control.verdict = "fail";
    EXPECT_NE(github_annotations({control}).find("blind"), std::string::npos);
}

TEST(Report, EqualRecordsGiveEqualBytes) {
    const std::vector<RunRecord> runs{sample_run(1, "conditional"), failing_run()};
    EXPECT_EQ(html_report(runs), html_report(runs));
    EXPECT_LT(html_report(runs).size(), 100'000u);
}

TEST(Report, TheModelsLimitsStandBesideWhatItWasUsedFor) {
    std::vector<RunRecord> runs{sample_run(1, "conditional")};
    constexpr std::string_view limits[] = {"No vacuum."};
    EXPECT_NE(html_report(runs, limits).find("<li>No vacuum.</li>"), std::string::npos);
    runs.front().world = "live";
    EXPECT_EQ(html_report(runs, limits), html_report(runs));
}

TEST(Report, ManyFindingsAreCutAndCounted) {
    std::vector<RunRecord> runs(40, failing_run());
    const std::string annotations = github_annotations(runs);
    EXPECT_EQ(std::count(annotations.begin(), annotations.end(), '\n'), 10);
    EXPECT_LT(markdown_report(runs).size(), 60'000u);
}

TEST(Summary, NumbersForPeople) {
    EXPECT_EQ(duration_text(812'000), "812 us");
    EXPECT_EQ(duration_text(1'250'000'000), "1.25 s");
    EXPECT_EQ(duration_text(0), "0 ns");
    EXPECT_EQ(count_text(1234567), "1,234,567");
    EXPECT_EQ(count_text(12), "12");
}

}  // namespace
}  // namespace rushproof::reports
