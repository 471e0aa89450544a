// How quick virtual time is with everything on: services, model database, network, history,
// checkers.
//   build/release/tests/bench/simulation/simulation_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "simulator/checkers/checker.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/world/sim_world.hpp"

namespace rushproof::simulator {
namespace {

// The conditional cell of a shipped scenario.
Scenario read_scenario(const char* file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    ParseOptions options;
    options.file = file;
    auto parsed = parse_scenario(text.str(), options);
    if (!parsed) {
        std::fprintf(stderr, "%s: run this from the repository's root\n", file);
        std::exit(1);
    }
    const auto conditional = [](const Scenario& scenario) {
        return scenario.system.reservation == "conditional";
    };
    const auto& cells = parsed->scenarios;
    const auto found = std::find_if(cells.begin(), cells.end(), conditional);
    if (found == cells.end()) {
        std::fprintf(stderr, "%s: no cell is conditional\n", file);
        std::exit(1);
    }
    return *found;
}

void run_scenario(benchmark::State& state, const char* file, bool judged) {
    const Scenario scenario = read_scenario(file);
    std::uint64_t steps = 0;
    std::uint64_t operations = 0;
    std::uint64_t seed = 0;
    for (auto _ : state) {
        SimOptions options;
        options.seed = ++seed;
        options.plan = plan_faults(scenario, seed);
        const SimOutcome outcome = run_simulation(scenario, system_of(scenario), options);
        steps += outcome.steps;
        operations += outcome.load.operations.size();
        if (judged) {
            auto judgement = judge(outcome.history, {}, CheckOptions());
            benchmark::DoNotOptimize(judgement);
        }
    }
    const auto rate = [](double count) {
        return benchmark::Counter(count, benchmark::Counter::kIsRate);
    };
    const double virtual_seconds = static_cast<double>(scenario.duration.count()) / 1e9;
    state.counters["steps/s"] = rate(static_cast<double>(steps));
    state.counters["operations/s"] = rate(static_cast<double>(operations));
    state.counters["x_real_time"] = rate(virtual_seconds * static_cast<double>(state.iterations()));
}

BENCHMARK_CAPTURE(run_scenario, flash_sale_judged, "scenarios/fast/flash-sale.yaml", true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run_scenario, flash_sale, "scenarios/fast/flash-sale.yaml", false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run_scenario, swarm_judged, "scenarios/fast/swarm.yaml", true)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rushproof::simulator

BENCHMARK_MAIN();
