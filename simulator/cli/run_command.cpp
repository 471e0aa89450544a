// rushproof run: expands the matrix and the seeds, runs each in its world, judges, reports.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "core/base/hash.hpp"
#include "reports/report.hpp"
#include "reports/summary.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_directory.hpp"
#include "simulator/cli/run_one.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/cli/workers.hpp"
#include "simulator/models/database/limits.hpp"
#include "simulator/scenario/parser.hpp"

namespace rushproof::simulator {

namespace {

struct RunSettings {
    std::string file;
    std::string mode;
    std::string seed;
    std::string seeds;
    std::vector<std::string> overrides;
    std::vector<std::string> only;
    std::string duration;
    std::string out;
    unsigned jobs = 0;
    bool json = false;
    bool quiet = false;
    bool keep_all = false;
    bool keep_going = false;
    LiveSettings live;
};

class RunCommand {
public:
    explicit RunCommand(const RunSettings& settings) : settings_(settings) {}

    int run() {
        if (!load_scenario()) { return static_cast<int>(ExitCode::invalid_scenario); }
        out_ = settings_.out.empty()
                   ? std::filesystem::path("runs") / std::filesystem::path(settings_.file).stem()
                   : std::filesystem::path(settings_.out);
        const bool finished = simulate() && run_live_cells();
        std::sort(records_.begin(), records_.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<RunRecord> runs;
        ExitCode code = finished ? ExitCode::pass : ExitCode::interrupted;
        for (auto& [task, record] : records_) {
            code = worse(code, static_cast<ExitCode>(record.exit_code));
            runs.push_back(std::move(record));
        }
        if (runs.empty()) { return static_cast<int>(code); }
        return report(runs) ? static_cast<int>(code) : static_cast<int>(ExitCode::unknown);
    }

private:
    struct Task {
        const Scenario* scenario;
        std::uint64_t seed;
        bool first_of_cell;
    };

    bool load_scenario() {
        const auto text = read_file(settings_.file);
        if (!text) {
            std::fprintf(stderr, "%s\n", text.error().message().c_str());
            return false;
        }
        overrides_ = settings_.overrides;
        if (!settings_.mode.empty()) { overrides_.push_back("mode=" + settings_.mode); }
        if (!settings_.duration.empty()) { overrides_.push_back("duration=" + settings_.duration); }
        if (!settings_.seed.empty()) { overrides_.push_back("seeds=" + settings_.seed); }
        if (!settings_.seeds.empty()) { overrides_.push_back("seeds=" + settings_.seeds); }
        ParseOptions options;
        options.file = settings_.file;
        options.overrides = overrides_;
        auto parsed = parse_scenario(*text, options);
        if (!parsed) {
            for (const Diagnostic& diagnostic : parsed.error()) {
                std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
            }
            return false;
        }
        for (const Diagnostic& warning : parsed->warnings) {
            std::fprintf(stderr, "warning: %s\n", to_string(warning).c_str());
        }
        file_ = std::move(*parsed);
        return select_cells();
    }

    bool select_cells() {
        file_.scenarios = keep_cells(std::move(file_.scenarios), settings_.only);
        if (file_.scenarios.empty()) {
            std::fprintf(
                stderr,
                "--only: no cell of the matrix has all that; `rushproof validate %s` lists them\n",
                settings_.file.c_str());
            return false;
        }
        for (const Scenario& scenario : file_.scenarios) {
            if (const auto problem = why_not_runnable(scenario)) {
                std::fprintf(stderr, "%s: %s\n", settings_.file.c_str(), problem->c_str());
                return false;
            }
            for (std::size_t i = 0; i < scenario.seeds.size(); ++i) {
                tasks_.push_back({&scenario, scenario.seeds[i], i == 0});
            }
        }
        return true;
    }

    static bool in_virtual_time(const Scenario& scenario) { return scenario.mode != Mode::live; }
    static bool in_real_time(const Scenario& scenario) { return scenario.mode != Mode::sim; }

    bool simulate() {
        std::vector<std::size_t> simulated;
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            if (in_virtual_time(*tasks_[i].scenario)) { simulated.push_back(i); }
        }
        WorkerOptions workers;
        workers.tasks = simulated.size();
        workers.jobs = settings_.jobs != 0 ? settings_.jobs
                                           : std::max(1u, std::thread::hardware_concurrency());
        workers.run = [&](std::size_t i) {
            const Task& task = tasks_[simulated[i]];
            return reports::run_json(run_in_virtual_time(*task.scenario, task.seed, overrides_,
                                                         directory_of(task, "sim")));
        };
        workers.done = [&](std::size_t i, const std::string& json) {
            auto record = reports::parse_run_json(json);
            if (!record) { return lost(simulated[i], record.error().message()); }
            return finished(simulated[i], std::move(*record));
        };
        workers.died = [&](std::size_t i, const std::string& how) {
            return lost(simulated[i], "its process died: " + how);
        };
        progress_of_ = simulated.size();
        const bool complete = simulated.empty() || run_in_workers(workers);
        end_progress();
        return complete;
    }

    bool run_live_cells() {
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            const Task& task = tasks_[i];
            if (!in_real_time(*task.scenario)) { continue; }
            if (!settings_.quiet && !settings_.json) {
                std::fprintf(stderr, "live: %s, seed %llu, %.0f s\n", task.scenario->title.c_str(),
                             static_cast<unsigned long long>(task.seed),
                             static_cast<double>(task.scenario->duration.count()) / 1e9);
            }
            RunRecord record = run_in_real_time(*task.scenario, task.seed, overrides_,
                                                settings_.live, directory_of(task, "live"));
            const bool interrupted = record.exit_code == static_cast<int>(ExitCode::interrupted);
            finished(tasks_.size() + i, std::move(record));
            if (interrupted) { return false; }
        }
        return true;
    }

    RunDirectory directory_of(const Task& task, const std::string& world) const {
        std::string name;
        for (const auto& [key, value] : task.scenario->cell) { name += value + "-"; }
        name += "seed-" + std::to_string(task.seed) + "-" + world;
        return {out_ / name, settings_.keep_all || task.first_of_cell};
    }

    bool finished(std::size_t task, RunRecord record) {
        const bool passed = record.exit_code == 0;
        if (settings_.json) { std::printf("%s\n", reports::run_json(record).c_str()); }
        failures_ += passed ? 0 : 1;
        records_.emplace_back(task, std::move(record));
        show_progress();
        return passed || !file_.fail_fast || settings_.keep_going;
    }

    // A run that left no record is never a pass.
    bool lost(std::size_t task, const std::string& why) {
        RunRecord record;
        const Scenario& scenario = *tasks_[task].scenario;
        record.scenario = scenario.file;
        record.title = scenario.title;
        record.seed = tasks_[task].seed;
        record.world = "sim";
        record.cell = scenario.cell;
        record.verdict = "unknown";
        record.exit_code = static_cast<int>(ExitCode::unknown);
        record.build = build_text();
        CheckRecord check;
        check.name = "run";
        check.verdict = "unknown";
        check.sentence = why;
        record.checks.push_back(std::move(check));
        record.overrides = overrides_;
        record.replay = replay_line(scenario, record.seed, record.world, overrides_);
        return finished(task, std::move(record));
    }

    void show_progress() {
        if (settings_.quiet || settings_.json || progress_of_ < 2) { return; }
        const bool terminal = ::isatty(STDERR_FILENO) != 0;
        const auto now = std::chrono::steady_clock::now();
        if (!terminal && now - last_progress_ < std::chrono::seconds(5)) { return; }
        if (terminal && now - last_progress_ < std::chrono::milliseconds(100)) { return; }
        last_progress_ = now;
        std::fprintf(stderr, "%s%zu of %zu runs, %zu not passed%s", terminal ? "\r" : "",
                     records_.size(), progress_of_, failures_, terminal ? "  " : "\n");
        std::fflush(stderr);
    }
    void end_progress() const {
        if (settings_.quiet || settings_.json || progress_of_ < 2) { return; }
        if (::isatty(STDERR_FILENO) != 0) { std::fprintf(stderr, "\r%60s\r", ""); }
    }

    bool report(const std::vector<RunRecord>& runs) {
        const auto has = [&](std::string_view format) {
            const auto& formats = file_.scenarios.front().report_formats;
            return std::find(formats.begin(), formats.end(), format) != formats.end();
        };
        std::error_code error;
        std::filesystem::create_directories(out_, error);
        Result<void> written =
            write_file(out_ / "report.html", reports::html_report(runs, model_database_limits()));
        if (written) { written = write_file(out_ / "summary.md", reports::markdown_report(runs)); }
        if (written && has("junit")) {
            written = write_file(out_ / "junit.xml", reports::junit_report(runs));
        }
        if (written && has("github")) {
            written = write_file(out_ / "annotations.txt", reports::github_annotations(runs));
        }
        if (!written) {
            std::fprintf(stderr, "%s\n", written.error().message().c_str());
            return false;
        }
        if (std::getenv("GITHUB_ACTIONS") != nullptr) {
            std::printf("%s", reports::github_annotations(runs).c_str());
        }
        if (const char* summary = std::getenv("GITHUB_STEP_SUMMARY")) {
            std::ofstream(summary, std::ios::app) << reports::markdown_report(runs);
        }
        if (settings_.json) { return true; }
        std::printf("%s\n%s\n", runs.front().title.c_str(), reports::terminal_report(runs).c_str());
        print_identity(runs);
        std::printf("report:     %s\n",
                    std::filesystem::absolute(out_ / "report.html").lexically_normal().c_str());
        return true;
    }

    // One hash stands for all: of the hashes of the runs, in order.
    static void print_identity(const std::vector<RunRecord>& runs) {
        std::uint64_t high = 0;
        std::uint64_t low = 1;
        std::size_t hashed = 0;
        for (const RunRecord& run : runs) {
            if (run.trace_hash.empty()) { continue; }
            high = combine64(high, hash64(run.trace_hash));
            low = combine64(low, hash64(run.trace_hash));
            ++hashed;
        }
        const std::uint64_t first = runs.front().seed;
        const std::uint64_t last = runs.back().seed;
        std::printf("seed:       %llu", static_cast<unsigned long long>(first));
        if (last != first) { std::printf(" to %llu", static_cast<unsigned long long>(last)); }
        std::printf("\n");
        if (hashed == 1) {
            std::printf("trace hash: %s\n", runs.front().trace_hash.c_str());
        } else if (hashed > 1) {
            std::printf("trace hash: %016llx%016llx (of %zu runs)\n",
                        static_cast<unsigned long long>(high), static_cast<unsigned long long>(low),
                        hashed);
        }
    }

    const RunSettings& settings_;
    ParsedFile file_;
    std::vector<Task> tasks_;
    std::vector<std::string> overrides_;
    std::filesystem::path out_;
    std::vector<std::pair<std::size_t, RunRecord>> records_;
    std::size_t progress_of_ = 0;
    std::size_t failures_ = 0;
    std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace

Command add_run(CLI::App& app) {
    auto* parser = app.add_subcommand("run", "Run a scenario, judge it and write the reports");
    auto settings = std::make_shared<RunSettings>();
    parser->add_option("scenario", settings->file, "The scenario file (YAML)")->required();
    parser->add_option("--mode", settings->mode,
                       "sim, live or both, instead of what the file says");
    parser->add_option("--seed", settings->seed, "One seed instead of the file's seeds");
    parser->add_option("--seeds", settings->seeds, "Seeds: 7, [1,2,3] or 1..500");
    parser->add_option("--set", settings->overrides,
                       "Override a value: load.flash.stages.0.target=8000/s");
    parser->add_option("--only", settings->only,
                       "Only cells of the matrix with this value: reservation=naive");
    parser->add_option("--duration", settings->duration, "How long the load runs: 5s");
    parser->add_option("--jobs", settings->jobs,
                       "Seeds at a time, each in a process of its own (default: cores)");
    parser->add_option("--out", settings->out,
                       "Where reports and run directories go (default: runs/NAME)");
    parser->add_flag("--keep-all", settings->keep_all,
                     "Keep the directory of every run, not only of failures and firsts");
    parser->add_flag("--keep-going", settings->keep_going,
                     "Run everything, whatever strategy.fail-fast says");
    parser->add_flag("--json", settings->json,
                     "One JSON object a run on standard output, nothing else");
    parser->add_flag("--quiet", settings->quiet, "No progress");
    parser->add_option("--rushproofd", settings->live.program,
                       "Live: the service program (default: beside this one)");
    parser->footer(
        "\nExamples:\n"
        "  rushproof run scenarios/fast/flash-sale.yaml            every strategy, in virtual "
        "time\n"
        "  rushproof run scenarios/fast/swarm.yaml --seeds 1..500  500 seeds of random trouble\n"
        "  rushproof run FILE --mode live                          real processes, real time\n"
        "\nExit codes: 0 pass, 90 consistency violated, 92 measurement not trustworthy, 93 fault "
        "not\n"
        "verified, 94 verdict unknown, 99 thresholds missed, 104 invalid scenario or options,\n"
        "105 interrupted.\n");
    return {parser, [settings] { return RunCommand(*settings).run(); }};
}

}  // namespace rushproof::simulator
