// Goal: thresholds are judged over exactly their window, and not at all by a late generator.
// Method: samples made by hand.
#include "simulator/load/thresholds.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rushproof::simulator {
namespace {

using std::chrono::seconds;

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t second = 1'000 * millisecond;

// One reserve every 10 ms for 10 s: 5 ms each, but 100 ms in the seconds 4 to 6; all of the load
// "flash" but for the odd ones of "background".
class Thresholds : public testing::Test {
protected:
    Thresholds() {
        metrics_.loads = {"background", "flash"};
        for (std::int64_t i = 0; i < 1'000; ++i) {
            OperationSample sample;
            sample.intended = i * 10 * millisecond;
            sample.sent = sample.intended + 100'000;
            const bool slow = sample.intended >= 4 * second && sample.intended < 6 * second;
            sample.done = sample.intended + (slow ? 100 : 5) * millisecond;
            sample.load = i % 2 == 0 ? 1 : 0;
            if (i % 100 == 7) { sample.outcome = Outcome::failed; }
            if (i % 100 == 8) { sample.outcome = Outcome::refused; }
            if (i % 100 == 9) { sample.outcome = Outcome::unknown; }
            metrics_.operations.push_back(sample);
            AttemptSample attempt;
            attempt.sent = sample.sent;
            attempt.done = sample.done;
            attempt.load = sample.load;
            metrics_.attempts.push_back(attempt);
        }
        scenario_.duration = seconds(10);
        add_phase("baseline", seconds(0));
        add_phase("storm", seconds(4));
        add_phase("settle", seconds(6));
        add_fault("kill-1", 4'000 * millisecond, 4'500 * millisecond);
        add_fault("pause-1", 9'000 * millisecond, -1);
        add_fault("never", -1, -1);
    }

    void add_phase(std::string name, Duration at) {
        TimelineEntry entry;
        entry.phase = std::move(name);
        entry.at = at;
        scenario_.timeline.push_back(std::move(entry));
    }
    void add_fault(std::string id, std::int64_t began, std::int64_t ended) {
        FaultRecord fault;
        fault.id = std::move(id);
        fault.began = began;
        fault.ended = ended;
        faults_.push_back(std::move(fault));
    }
    static Threshold threshold(std::string metric, Aggregate aggregate, Comparison comparison,
                               double limit, std::string during = "") {
        Threshold result;
        result.metric = std::move(metric);
        result.expression = "as written";
        result.aggregate = aggregate;
        result.percentile = 99;
        result.comparison = comparison;
        result.limit = limit;
        result.during = std::move(during);
        return result;
    }
    ThresholdRecord judge(Threshold one) {
        scenario_.thresholds = {std::move(one)};
        return evaluate_thresholds(scenario_, metrics_, faults_, {}).at(0);
    }
    double p99(const std::string& during) {
        return judge(threshold("reserve.latency", Aggregate::percentile, Comparison::less, 1e12,
                               during))
            .measured;
    }

    Scenario scenario_;
    LoadMetrics metrics_;
    std::vector<FaultRecord> faults_;
};

TEST_F(Thresholds, WindowsAreExact) {
    EXPECT_NEAR(p99(""), 100e6, 1e6);
    EXPECT_NEAR(p99("phase:baseline"), 5e6, 5e4);
    EXPECT_NEAR(p99("phase:storm"), 100e6, 1e6);
    EXPECT_NEAR(p99("phase:settle"), 5e6, 5e4);
    EXPECT_NEAR(p99("fault:kill-1"), 100e6, 1e6);
    EXPECT_NEAR(p99("fault:pause-1"), 5e6, 5e4);
    const auto samples = [&](const std::string& during) {
        return judge(threshold("reserve.latency", Aggregate::count, Comparison::less, 0, during))
            .samples;
    };
    EXPECT_EQ(samples(""), 1'000u);
    EXPECT_EQ(samples("phase:baseline"), 400u);
    EXPECT_EQ(samples("phase:storm"), 200u);
    EXPECT_EQ(samples("fault:kill-1"), 50u);
    EXPECT_EQ(samples("fault:*"), 150u);
    EXPECT_EQ(samples("load:flash"), 500u);
    EXPECT_EQ(samples("load:nobody"), 0u);
}

TEST_F(Thresholds, AggregatesAndComparisons) {
    const auto measured = [&](const std::string& metric, Aggregate aggregate) {
        return judge(threshold(metric, aggregate, Comparison::less, 0)).measured;
    };
    EXPECT_EQ(measured("reserve.latency", Aggregate::min), 5e6);
    EXPECT_EQ(measured("reserve.latency", Aggregate::max), 100e6);
    EXPECT_EQ(measured("reserve.latency", Aggregate::mean), 24e6);
    EXPECT_EQ(measured("reserve.service-time", Aggregate::max), 99.9e6);
    EXPECT_EQ(measured("generator.send-lag", Aggregate::max), 1e5);
    EXPECT_EQ(measured("reserve.errors", Aggregate::rate), 0.02);
    EXPECT_EQ(measured("reserve.errors", Aggregate::count), 20);
    EXPECT_EQ(measured("reserve.success", Aggregate::rate), 0.98);
    EXPECT_EQ(measured("reserve.rate", Aggregate::value), 99);

    const auto verdict = [&](Comparison comparison, double limit) {
        return judge(threshold("reserve.errors", Aggregate::count, comparison, limit)).verdict;
    };
    EXPECT_EQ(verdict(Comparison::less, 20), "fail");
    EXPECT_EQ(verdict(Comparison::less, 21), "pass");
    EXPECT_EQ(verdict(Comparison::less_equal, 20), "pass");
    EXPECT_EQ(verdict(Comparison::greater, 20), "fail");
    EXPECT_EQ(verdict(Comparison::greater, 19), "pass");
    EXPECT_EQ(verdict(Comparison::greater_equal, 20), "pass");
    EXPECT_EQ(verdict(Comparison::equal, 20), "pass");
    EXPECT_EQ(verdict(Comparison::equal, 19), "fail");
}

TEST_F(Thresholds, RateIsPerSecondOfTheWindow) {
    const auto rate = [&](const std::string& during) {
        return judge(threshold("reserve.rate", Aggregate::value, Comparison::less, 0, during))
            .measured;
    };
    EXPECT_NEAR(rate("phase:storm"), 99, 0.01);
    EXPECT_NEAR(rate("fault:*"), 99, 1);
    // A fault within another one adds no time.
    add_fault("within", 4'100 * millisecond, 4'200 * millisecond);
    EXPECT_NEAR(rate("fault:*"), 99, 1);
}

TEST_F(Thresholds, NoSamplesFailUnlessAllowed) {
    Threshold empty = threshold("confirm.latency", Aggregate::percentile, Comparison::less, 1e12);
    EXPECT_EQ(judge(empty).verdict, "fail");
    EXPECT_EQ(judge(empty).samples, 0u);
    empty.allow_empty = true;
    EXPECT_EQ(judge(empty).verdict, "pass");
    EXPECT_EQ(judge(threshold("reserve.latency", Aggregate::percentile, Comparison::less, 1e12,
                              "fault:never"))
                  .verdict,
              "fail");
}

TEST_F(Thresholds, ShedArrivalsAreCounted) {
    for (int i = 0; i < 10; ++i) {
        ArrivalSample arrival;
        arrival.intended = i * second;
        arrival.shed = i == 3;
        metrics_.arrivals.push_back(arrival);
    }
    EXPECT_EQ(judge(threshold("load.shed", Aggregate::count, Comparison::equal, 0)).measured, 1);
    EXPECT_EQ(judge(threshold("load.shed", Aggregate::rate, Comparison::less, 0.2)).measured, 0.1);
    EXPECT_EQ(judge(threshold("load.shed", Aggregate::count, Comparison::equal, 0, "phase:settle"))
                  .verdict,
              "pass");
}

TEST_F(Thresholds, DoubtsLeaveTimesUnjudgedAndNothingElse) {
    scenario_.thresholds = {
        threshold("reserve.latency", Aggregate::percentile, Comparison::less, 1),
        threshold("reserve.errors", Aggregate::rate, Comparison::less, 0.001),
        threshold("generator.send-lag", Aggregate::max, Comparison::less, 1),
    };
    const auto records = evaluate_thresholds(scenario_, metrics_, faults_, {"the generator slept"});
    EXPECT_EQ(records[0].verdict, "not-judged");
    EXPECT_EQ(records[1].verdict, "fail");
    EXPECT_EQ(records[2].verdict, "not-judged");
}

class Doubts : public Thresholds {
protected:
    std::vector<std::string> doubts(GeneratorHealth health = {}) {
        return generator_doubts(scenario_, 1, metrics_, faults_, health);
    }
};

TEST_F(Doubts, AGeneratorInTimeHasNone) { EXPECT_EQ(doubts(), std::vector<std::string>()); }

TEST_F(Doubts, LateSending) {
    for (std::size_t i = 0; i < 20; ++i) {
        OperationSample& sample = metrics_.operations[i];
        sample.sent = sample.intended + 12 * millisecond;
    }
    const auto found = doubts();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_NE(found[0].find("1 % of the requests were sent more than 12."), std::string::npos)
        << found[0];
    EXPECT_NE(found[1].find("20 of 1000 requests"), std::string::npos) << found[1];
}

TEST_F(Doubts, LatenessIsMeasuredAgainstTheServiceTime) {
    for (OperationSample& sample : metrics_.operations) { sample.sent += 2 * millisecond; }
    EXPECT_EQ(doubts().size(), 1u);
    for (AttemptSample& attempt : metrics_.attempts) { attempt.done += 30 * millisecond; }
    EXPECT_EQ(doubts().size(), 0u);
}

TEST_F(Doubts, MachineAndScenario) {
    EXPECT_EQ(doubts({0.91, 0}).size(), 1u);
    EXPECT_EQ(doubts({0, 0.021}).size(), 1u);
    EXPECT_EQ(doubts({0.9, 0.02}).size(), 0u);
    scenario_.thresholds = {
        threshold("generator.send-lag", Aggregate::max, Comparison::less, 50'000)};
    EXPECT_EQ(doubts().size(), 1u);
}

TEST_F(Doubts, ArrivalsThatAreMissingOrShed) {
    Load load;
    load.name = "flash";
    load.rate = Rate{10'000};
    load.arrivals = Arrivals::uniform;
    scenario_.loads = {load};
    EXPECT_EQ(doubts(), std::vector<std::string>{"0 of 100 planned arrivals took place"});
    metrics_.arrivals.resize(100);
    EXPECT_EQ(doubts().size(), 0u);
    metrics_.arrivals[5].shed = true;
    EXPECT_EQ(doubts().size(), 1u);
    scenario_.thresholds = {threshold("load.shed", Aggregate::rate, Comparison::less, 0.5)};
    EXPECT_EQ(doubts().size(), 0u);
}

TEST(Metrics, SummaryCountsAndSlices) {
    LoadMetrics metrics;
    for (std::int64_t i = 0; i < 200; ++i) {
        OperationSample sample;
        sample.function = Function::confirm;
        sample.intended = i * 10 * millisecond;
        sample.sent = sample.intended;
        sample.done = sample.intended + (i % 100 + 1) * millisecond;
        sample.outcome = i < 100 ? Outcome::succeeded : Outcome::unknown;
        metrics.operations.push_back(sample);
    }
    metrics.loads = {"flash"};
    LoadMetrics merged;
    merged.merge(metrics);
    EXPECT_EQ(merged.loads, metrics.loads);
    const RunMetrics summary = summarize(merged, seconds(2));
    ASSERT_EQ(summary.operations.size(), 1u);
    const OperationMetrics& confirm = summary.operations[0];
    EXPECT_EQ(confirm.operation, "confirm");
    EXPECT_EQ(confirm.succeeded, 100u);
    EXPECT_EQ(confirm.unknown, 100u);
    ASSERT_EQ(confirm.slices.size(), 2u);
    EXPECT_EQ(confirm.slices[0].second, 0);
    EXPECT_EQ(confirm.slices[0].count, 100u);
    EXPECT_EQ(confirm.slices[0].errors, 0u);
    EXPECT_EQ(confirm.slices[0].p50, 50 * millisecond);
    EXPECT_EQ(confirm.slices[0].p99, 99 * millisecond);
    EXPECT_EQ(confirm.slices[1].errors, 100u);
    EXPECT_EQ(summary.duration, 2 * second);
    EXPECT_EQ(summary.send_lag.count(), 200u);
}

}  // namespace
}  // namespace rushproof::simulator
