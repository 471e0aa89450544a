// How long judging and reading long histories takes, and how much memory.
// `history_MB` is the process with the history in memory, `peak_MB` its peak while it is judged, so
// that the check itself took the difference.  A verdict other than the expected one is an error.
//
//   build/release/tests/bench/linearizable/linearizable_bench
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/tests/history_generator.hpp"
#include "simulator/record/history_binary.hpp"
#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {
namespace {

// Of 1,000,000 operations: what is usual, and ever less of it.
GeneratorOptions usual(std::uint64_t operations, std::uint32_t clients = 16) {
    return {.operations = operations,
            .clients = clients,
            .stock = clients + clients / 4,
            .reads = 100'000,
            .unknown = 1'000,
            .audited = true};
}

struct Case {
    const char* name;
    GeneratorOptions options;
    Verdict expected = Verdict::pass;
    const char* check = "linearizable";
};

const Case cases[] = {
    {"1M", usual(1'000'000)},
    {"100k", usual(100'000)},
    {"10k", usual(10'000)},
    {"1M_wrong_at_800k", {.reads = 100'000, .wrong_from = 800'000, .seed = 2}, Verdict::fail},
    {"1M_no_reads", {}},
    {"1M_30%_reads", {.reads = 300'000}},
    {"1M_32_clients", usual(1'000'000, 32)},
    {"200k_64_clients", usual(200'000, 64)},
    {"200k_200_clients", usual(200'000, 200)},
    {"1M_1%_unknown_audited", {.reads = 100'000, .unknown = 10'000, .audited = true}},
    {"1M_1%_unknown", {.unknown = 10'000}},
    {"1M_quantities_1_to_3", {.stock = 40, .quantity_max = 3}},
    {"200k_32_clients_quantities_1_to_4_10%_reads",
     {.operations = 200'000, .clients = 32, .stock = 100, .quantity_max = 4, .reads = 100'000}},
    {"1M_no_oversell", usual(1'000'000), Verdict::pass, "no-oversell"},
};

void reset_peak_memory() {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}

// `of` is "VmRSS:" or, since the last reset, "VmHWM:".
double megabytes(std::string_view of) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == of && status >> kilobytes) return kilobytes / 1024;
    }
    return 0;
}

double share(const History& history, EventType type) {
    const auto count = std::count_if(history.events.begin(), history.events.end(),
                                     [type](const Event& event) { return event.type == type; });
    return 200.0 * static_cast<double>(count) / static_cast<double>(history.events.size());
}

void judge_one(benchmark::State& state, const Case& one) {
    const History history = generate_history(one.options);
    CheckResult result;
    reset_peak_memory();
    state.counters["history_MB"] = megabytes("VmRSS:");
    while (state.KeepRunning()) result = find_checker(one.check)->check(history, {});
    state.counters["peak_MB"] = megabytes("VmHWM:");
    state.counters["refused_%"] = share(history, EventType::fail);
    state.counters["unknown_%"] = share(history, EventType::info);
    state.SetItemsProcessed(static_cast<std::int64_t>(one.options.operations) *
                            static_cast<std::int64_t>(state.iterations()));
    state.SetLabel(std::string(to_string(result.verdict)));
    if (result.verdict != one.expected) state.SkipWithError(result.sentence.c_str());
}

void read_json(benchmark::State& state) {
    std::ostringstream output;
    write_history_json(generate_history(usual(500'000)), output);
    const std::string text = output.str();
    while (state.KeepRunning()) benchmark::DoNotOptimize(parse_history_json(text));
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) *
                            static_cast<std::int64_t>(state.iterations()));
}

void read_binary(benchmark::State& state) {
    std::ostringstream output;
    write_history_binary(generate_history(usual(500'000)), output);
    const std::string bytes = output.str();
    while (state.KeepRunning()) benchmark::DoNotOptimize(read_history_binary(bytes));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) *
                            static_cast<std::int64_t>(state.iterations()));
}

}  // namespace
}  // namespace rushproof::simulator

int main(int argc, char** argv) {
    using namespace rushproof::simulator;
    for (const Case& one : cases) {
        benchmark::RegisterBenchmark(one.name, judge_one, one)->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark("read_json_1M_events", read_json)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("read_binary_1M_events", read_binary)
        ->Unit(benchmark::kMillisecond);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
