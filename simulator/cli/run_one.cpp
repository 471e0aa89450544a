#include "simulator/cli/run_one.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <system_error>

#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_directory.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/live/live_run.hpp"
#include "simulator/scenario/plan.hpp"
#include "simulator/world/sim_world.hpp"

namespace rushproof::simulator {

namespace {

std::int64_t nanoseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
}

// A run whose files cannot be written is still judged; the record says so.
void keep(RunRecord& record, const RunDirectory& directory, const History* history,
          const SimOutcome* simulated) {
    if (!directory.keep && record.exit_code == 0) { return; }
    record.directory = directory.path.string();
    RunFiles files{record, history, nullptr, {}};
    if (simulated != nullptr) {
        files.trace = &simulated->trace;
        files.tape = simulated->tape;
    }
    const auto written = write_run(directory.path, files);
    if (!written) {
        record.directory.clear();
        record.notes.push_back(written.error().message());
    }
}

}  // namespace

// As the kernel names this program's file.
std::filesystem::path program_beside_this_one() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    for (const char* place : {".", "../../services/host"}) {
        const auto candidate = self.parent_path() / place / "rushproofd";
        if (std::filesystem::exists(candidate, error)) { return candidate.lexically_normal(); }
    }
    return "rushproofd";
}

// The program stands in build/PRESET/simulator/cli of the repository that it was built from.
std::filesystem::path stack_program() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto beside = self.parent_path() / "../../../../infra/stack/stack";
    return std::filesystem::exists(beside, error) ? beside.lexically_normal()
                                                  : std::filesystem::path("infra/stack/stack");
}

std::vector<Scenario> keep_cells(std::vector<Scenario> scenarios,
                                 const std::vector<std::string>& only) {
    for (const std::string& filter : only) {
        const auto equals = filter.find('=');
        const std::pair<std::string, std::string> wanted(
            filter.substr(0, equals), equals == std::string::npos ? "" : filter.substr(equals + 1));
        std::erase_if(scenarios, [&](const Scenario& scenario) {
            return std::find(scenario.cell.begin(), scenario.cell.end(), wanted) ==
                   scenario.cell.end();
        });
    }
    return scenarios;
}

RunRecord run_in_virtual_time(const Scenario& scenario, std::uint64_t seed,
                              const std::vector<std::string>& overrides,
                              const RunDirectory& directory) {
    const auto started = std::chrono::steady_clock::now();
    SimOptions options;
    options.seed = seed;
    options.plan = plan_faults(scenario, seed);
    options.record_tape = true;
    SimOutcome outcome = run_simulation(scenario, system_of(scenario), options);
    RunEvidence evidence;
    evidence.world = "sim";
    evidence.history = std::move(outcome.history);
    evidence.load = std::move(outcome.load);
    evidence.faults = std::move(outcome.faults);
    evidence.troubles = std::move(outcome.troubles);
    evidence.disagreements = std::move(outcome.disagreements);
    evidence.trace_hash = outcome.trace.hash;
    evidence.steps = outcome.steps;
    evidence.wall_time = nanoseconds_since(started);
    RunRecord record = judge_run(scenario, seed, evidence, overrides);
    keep(record, directory, &evidence.history, &outcome);
    return record;
}

RunRecord run_in_real_time(const Scenario& scenario, std::uint64_t seed,
                           const std::vector<std::string>& overrides, const LiveSettings& live,
                           const RunDirectory& directory) {
    const auto started = std::chrono::steady_clock::now();
    LiveOptions options;
    options.seed = seed;
    options.plan = plan_faults(scenario, seed);
    options.program = live.program.empty() ? program_beside_this_one().string() : live.program;
    options.stack = stack_program().string();
    options.directory = directory.path;
    LiveOutcome outcome = run_live(scenario, options);
    RunEvidence evidence;
    evidence.world = "live";
    evidence.history = std::move(outcome.history);
    evidence.load = std::move(outcome.load);
    evidence.faults = std::move(outcome.faults);
    evidence.troubles = std::move(outcome.troubles);
    evidence.disagreements = std::move(outcome.disagreements);
    evidence.doubts = std::move(outcome.doubts);
    evidence.notes = std::move(outcome.notes);
    evidence.wall_time = nanoseconds_since(started);
    // It cannot be had again, whatever happens while it is judged.
    const auto kept = write_history(directory.path, evidence.history);
    if (!kept) { evidence.notes.push_back(kept.error().message()); }
    RunRecord record = judge_run(scenario, seed, evidence, overrides);
    if (outcome.interrupted) {
        record.exit_code = static_cast<int>(ExitCode::interrupted);
        record.verdict = "unknown";
    }
    keep(record, directory, nullptr, nullptr);
    return record;
}

}  // namespace rushproof::simulator
