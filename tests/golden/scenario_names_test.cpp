// Goal: the names that scenario files may use are those of the parts that carry them out; the
// parser depends on none of these parts, so nothing else would notice. Method: each part's own list
// against what the parser accepts.
#include <gtest/gtest.h>

#include <algorithm>

#include "services/inventory/inventory.hpp"
#include "simulator/checkers/checker.hpp"
#include "simulator/faults/fault.hpp"
#include "simulator/load/thresholds.hpp"
#include "simulator/scenario/tests/example.hpp"

namespace rushproof::simulator {
namespace {

TEST(Names, ChecksAreTheCheckers) {
    std::vector<std::string_view> names;
    for (const auto& checker : checkers()) { names.push_back(checker.name); }
    auto known = known_checks();
    std::ranges::sort(names);
    std::ranges::sort(known);
    EXPECT_EQ(known, names);
}

TEST(Names, StrategiesAreThoseOfInventory) {
    std::string list;
    for (const auto strategy : inventory::all_strategies()) {
        const std::string name(inventory::to_string(strategy));
        list += (list.empty() ? "" : ", ") + name;
        EXPECT_EQ(errors_of(example_head + "system: {reservation: " + name + "}\n"), "");
    }
    const auto hint = [](const std::string& error) { return error.substr(error.rfind('|')); };
    const std::string error = errors_of(example_head + "system: {reservation: hopefully}\n");
    EXPECT_EQ(std::ranges::count(hint(error), ','), std::ranges::count(list, ',')) << error;
}

TEST(Names, LiveRunsAcceptTheFaultsThatCanBeDoneLive) {
    for (const FaultType* const type : fault_types()) {
        // Links are live only towards a broker, and a switch is no kind of fault in a file.
        const bool is_link = type->kind == FaultKind::latency || type->kind == FaultKind::partition;
        if (is_link || type->kind == FaultKind::switch_queue) {
            EXPECT_TRUE(type->live);
            continue;
        }
        const std::string kind(to_string(type->kind));
        // Every argument that some kind must have; only the errors about live runs count.
        const std::string fault = "timeline: [{at: 1s, fault: {kind: " + kind;
        std::string arguments;
        if (type->kind == FaultKind::disk_slow) { arguments = ", delay: 1s"; }
        if (type->kind == FaultKind::lock_timeout) { arguments = ", timeout: 1s"; }
        if (type->kind == FaultKind::clock_skew) { arguments = ", offset: 1s"; }
        if (type->kind == FaultKind::clock_drift) { arguments = ", drift: 1ppm"; }
        if (type->kind == FaultKind::broker) { arguments = ", effect: redeliver"; }
        const std::string error =
            errors_of(example_head + "mode: live\n" + fault + arguments + "}}]\n");
        EXPECT_EQ(error.find("virtual time only") == error.npos, type->live) << error;
    }
}

TEST(Names, EveryMetricIsMeasured) {
    // One operation of each kind, one arrival: what is known has samples then.
    LoadMetrics metrics;
    metrics.loads = {"buyers"};
    for (const auto function :
         {Function::reserve, Function::basket, Function::confirm, Function::release,
          Function::extend, Function::read, Function::find, Function::enqueue}) {
        OperationSample operation;
        operation.done = 2;
        operation.function = function;
        metrics.operations.push_back(operation);
        AttemptSample attempt;
        attempt.done = 2;
        attempt.function = function;
        metrics.attempts.push_back(attempt);
    }
    metrics.arrivals.push_back({});
    for (const auto& metric : known_metrics()) {
        Scenario scenario;
        Threshold threshold;
        threshold.metric = metric.name;
        threshold.aggregate = metric.unit == MetricUnit::time ? Aggregate::max : Aggregate::value;
        scenario.thresholds = {threshold};
        const auto records = evaluate_thresholds(scenario, metrics, {}, {});
        ASSERT_EQ(records.size(), 1u);
        EXPECT_GT(records[0].samples, 0u) << metric.name;
    }
}

}  // namespace
}  // namespace rushproof::simulator
