// rushproof trace and replay: the hash of a run's events, and whether two runs are one and the
// same.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include "reports/report.hpp"
#include "simulator/cli/child_process.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_directory.hpp"
#include "simulator/cli/run_one.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/world/compare.hpp"
#include "simulator/world/sim_world.hpp"

namespace rushproof::simulator {

namespace {

struct TraceSettings {
    std::string file;
    std::vector<std::string> overrides;
    std::vector<std::string> only;
    std::string seeds;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string tape;  // trace: choices come from this file, not from the seed
    std::string with;  // replay: the other program
};

// Empty, with the reasons on standard error, when the file is no good.
std::vector<Scenario> scenarios_of(const TraceSettings& settings) {
    const auto text = read_file(settings.file);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().message().c_str());
        return {};
    }
    ParseOptions options;
    options.file = settings.file;
    options.overrides = settings.overrides;
    options.overrides.push_back("mode=sim");
    if (!settings.seeds.empty()) { options.overrides.push_back("seeds=" + settings.seeds); }
    auto parsed = parse_scenario(*text, options);
    if (!parsed) {
        for (const Diagnostic& diagnostic : parsed.error()) {
            std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
        }
        return {};
    }
    std::vector<Scenario> scenarios = keep_cells(std::move(parsed->scenarios), settings.only);
    if (scenarios.empty()) { std::fprintf(stderr, "--only: no cell of the matrix has all that\n"); }
    for (const Scenario& scenario : scenarios) {
        if (const auto problem = why_not_runnable(scenario)) {
            std::fprintf(stderr, "%s: %s\n", settings.file.c_str(), problem->c_str());
            return {};
        }
    }
    return scenarios;
}

int trace(const TraceSettings& settings) {
    const auto scenarios = scenarios_of(settings);
    if (scenarios.empty()) { return static_cast<int>(ExitCode::invalid_scenario); }
    const bool single = scenarios.size() == 1 && scenarios.front().seeds.size() == 1;
    std::string tape;
    if (!settings.tape.empty()) {
        auto read = read_file(settings.tape);
        if (!read || !single) {
            std::fprintf(stderr, "--tape: %s\n",
                         read ? "belongs to one run; choose it with --seeds and --only"
                              : read.error().message().c_str());
            return static_cast<int>(ExitCode::invalid_scenario);
        }
        tape = std::move(*read);
    }
    for (const Scenario& scenario : scenarios) {
        for (const std::uint64_t seed : scenario.seeds) {
            SimOptions options;
            options.seed = seed;
            options.plan = plan_faults(scenario, seed);
            options.trace_first = settings.first;
            options.trace_last = settings.last;
            options.replay_tape = tape;
            const SimOutcome outcome = run_simulation(scenario, system_of(scenario), options);
            for (const std::string& trouble : outcome.troubles) {
                std::fprintf(stderr, "%s\n", trouble.c_str());
            }
            if (outcome.trace.hash.empty()) { return static_cast<int>(ExitCode::invalid_scenario); }
            if (single) {
                std::printf("%s", trace_text(outcome.trace).c_str());
            } else {
                std::string cell;
                for (const auto& [key, value] : scenario.cell) { cell += value + " "; }
                std::printf("%s%llu %s\n", cell.c_str(), static_cast<unsigned long long>(seed),
                            outcome.trace.hash.c_str());
            }
        }
    }
    return 0;
}

void add_scenario_options(CLI::App& parser, TraceSettings& settings) {
    parser.add_option("--set", settings.overrides, "Override a value, as for run");
    parser.add_option("--only", settings.only,
                      "Only cells of the matrix with this value: reservation=optimistic");
}

// Runs `program trace ...` in a process and an environment of its own.
class TraceProcess {
public:
    TraceProcess(std::string program, std::vector<std::string> arguments,
                 std::vector<std::string> environment)
        : program_(std::move(program)),
          arguments_(std::move(arguments)),
          environment_(std::move(environment)) {}

    Result<TraceSummary> run(std::optional<TraceWindow> window) const {
        std::vector<std::string> arguments = arguments_;
        if (window) {
            arguments.insert(arguments.end(), {"--first", std::to_string(window->first), "--last",
                                               std::to_string(window->last)});
        }
        RP_TRY(const std::string text, output_of(program_, arguments, environment_));
        return parse_trace(text);
    }

private:
    std::string program_;
    std::vector<std::string> arguments_;
    std::vector<std::string> environment_;
};

struct Replayed {
    std::string scenario;
    std::vector<std::string> arguments;  // of trace
    std::string recorded_hash;           // empty: only compare the repetitions
    std::string tape;                    // the run's, if it has one
};

Result<Replayed> what_to_replay(const TraceSettings& settings) {
    Replayed replayed;
    std::filesystem::path place = settings.file;
    if (std::filesystem::is_directory(place)) { place /= "run.json"; }
    std::vector<std::string> overrides = settings.overrides;
    std::vector<std::string> only = settings.only;
    std::string seed = settings.seeds;
    if (place.extension() == ".json") {
        const std::filesystem::path tape = place.parent_path() / "tape";
        if (std::filesystem::exists(tape)) { replayed.tape = tape.string(); }
        RP_TRY(const std::string text, read_file(place));
        RP_TRY(const RunRecord run, reports::parse_run_json(text));
        if (run.world != "sim") {
            return failure(
                ErrorKind::permanent, "live-run",
                "a live run cannot be replayed event by event; its line is: " + run.replay);
        }
        replayed.scenario = run.scenario;
        replayed.recorded_hash = run.trace_hash;
        seed = std::to_string(run.seed);
        overrides.insert(overrides.begin(), run.overrides.begin(), run.overrides.end());
        for (const auto& [key, value] : run.cell) { only.push_back(key + "=" + value); }
    } else {
        replayed.scenario = settings.file;
        if (seed.empty()) { seed = "1"; }
    }
    replayed.arguments = {"trace", replayed.scenario, "--seeds", seed};
    for (const auto& override : overrides) {
        if (override.starts_with("seeds=") || override.starts_with("mode=")) { continue; }
        replayed.arguments.insert(replayed.arguments.end(), {"--set", override});
    }
    for (const auto& filter : only) {
        replayed.arguments.insert(replayed.arguments.end(), {"--only", filter});
    }
    return replayed;
}

constexpr int differs = static_cast<int>(ExitCode::unknown);

int explain_difference(const TraceProcess& left, const TraceProcess& right, const TraceSummary& a,
                       const TraceSummary& b) {
    std::printf("DIFFERENT: %s and %s\n", a.hash.c_str(), b.hash.c_str());
    auto window = first_differing_window(a, b);
    if (!window) { return differs; }
    // Repetitions of a run that depends on chance may agree where the first two did not, and differ
    // elsewhere: then whole runs are compared.
    constexpr int attempts = 10;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const auto left_events = left.run(window);
        const auto right_events = right.run(window);
        if (!left_events || !right_events) { return differs; }
        if (const auto difference = first_difference(*left_events, *right_events)) {
            std::printf("first differing event: %s\n", difference->sentence.c_str());
            return differs;
        }
        window = TraceWindow{0, std::numeric_limits<std::uint64_t>::max()};
    }
    std::printf("%d repetitions did not differ: it happens seldom; replay again\n", attempts);
    return differs;
}

int replay(const TraceSettings& settings) {
    const auto replayed = what_to_replay(settings);
    if (!replayed) {
        std::fprintf(stderr, "%s\n", replayed.error().message().c_str());
        return static_cast<int>(ExitCode::invalid_scenario);
    }
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    // Two surroundings that differ in everything a run must not depend on.
    const TraceProcess left(self, replayed->arguments, {"LC_ALL=C"});
    std::vector<std::string> from_tape = replayed->arguments;
    if (!replayed->tape.empty()) { from_tape.insert(from_tape.end(), {"--tape", replayed->tape}); }
    const TraceProcess right(
        settings.with.empty() ? self : settings.with, from_tape,
        {"LC_ALL=C.UTF-8", "MALLOC_PERTURB_=165", "RUSHPROOF_PADDING=" + std::string(3000, 'x')});
    const auto a = left.run(std::nullopt);
    const auto b = right.run(std::nullopt);
    for (const auto* result : {&a, &b}) {
        if (!*result) {
            std::fprintf(stderr, "%s\n", result->error().message().c_str());
            return static_cast<int>(ExitCode::invalid_scenario);
        }
    }
    if (a->hash != b->hash) { return explain_difference(left, right, *a, *b); }
    if (!replayed->recorded_hash.empty() && replayed->recorded_hash != a->hash) {
        std::printf(
            "DIFFERENT: recorded %s, now %s twice: this is another build, or the scenario "
            "changed\n",
            replayed->recorded_hash.c_str(), a->hash.c_str());
        return differs;
    }
    std::printf("the same: %s, %llu events\n", a->hash.c_str(),
                static_cast<unsigned long long>(a->events));
    return 0;
}

}  // namespace

Command add_trace(CLI::App& app) {
    auto* parser = app.add_subcommand("trace", "Print the trace hash of runs in virtual time");
    auto settings = std::make_shared<TraceSettings>();
    parser->add_option("scenario", settings->file, "The scenario file")->required();
    parser->add_option("--seeds", settings->seeds,
                       "Seeds: 7 or 1..200; several print one line each");
    parser->add_option("--first", settings->first,
                       "Of a single run: print the events from this number ...");
    parser->add_option("--last", settings->last, "... up to before this one");
    parser->add_option("--tape", settings->tape,
                       "Of a single run: take its choices from this tape, not from the seed");
    add_scenario_options(*parser, *settings);
    parser->footer(
        "\nExamples:\n"
        "  rushproof trace FILE --seeds 1..200               one hash a run: compare two builds\n"
        "  rushproof trace FILE --seeds 7 --first 0 --last 50 --only reservation=naive\n");
    return {parser, [settings] { return trace(*settings); }};
}

Command add_replay(CLI::App& app) {
    auto* parser = app.add_subcommand(
        "replay",
        "Repeat a run, from its seed and from its tape, and name the first event that differs");
    auto settings = std::make_shared<TraceSettings>();
    parser->add_option("run", settings->file, "A run directory, a run.json, or a scenario file")
        ->required();
    parser->add_option("--seed", settings->seeds, "The seed, for a scenario file (default 1)");
    parser->add_option("--with", settings->with,
                       "Another rushproof program for the second run, say of another compiler");
    add_scenario_options(*parser, *settings);
    parser->footer(
        "\nExamples:\n"
        "  rushproof replay runs/flash-sale/naive-seed-1-sim\n"
        "  rushproof replay FILE --seed 7 --with build/gcc/simulator/cli/rushproof\n"
        "\nExit codes: 0 the same, 94 different, 104 cannot be replayed.\n");
    return {parser, [settings] { return replay(*settings); }};
}

}  // namespace rushproof::simulator
