// rushproof validate: reads a scenario, shows what it means, runs nothing.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_directory.hpp"
#include "simulator/cli/run_one.hpp"
#include "simulator/cli/system.hpp"
#include "simulator/scenario/draw.hpp"
#include "simulator/scenario/parser.hpp"
#include "simulator/scenario/schema.hpp"

namespace rushproof::simulator {

namespace {

struct ValidateSettings {
    std::vector<std::string> files;
    std::vector<std::string> overrides;
    std::uint64_t seed = 0;
};

bool validate(const std::string& file, const ValidateSettings& settings) {
    const auto text = read_file(file);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().message().c_str());
        return false;
    }
    ParseOptions options;
    options.file = file;
    options.overrides = settings.overrides;
    const auto parsed = parse_scenario(*text, options);
    if (!parsed) {
        for (const Diagnostic& diagnostic : parsed.error()) {
            std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
        }
        return false;
    }
    for (const Diagnostic& warning : parsed->warnings) {
        std::fprintf(stderr, "warning: %s\n", to_string(warning).c_str());
    }
    for (const Scenario& scenario : parsed->scenarios) {
        if (const auto problem = why_not_runnable(scenario)) {
            std::fprintf(stderr, "%s: %s\n", file.c_str(), problem->c_str());
            return false;
        }
    }
    DrawOptions draw;
    draw.seed = settings.seed;
    std::printf("%s", draw_scenario(*parsed, draw).c_str());
    return true;
}

}  // namespace

Command add_validate(CLI::App& app) {
    auto* parser = app.add_subcommand("validate", "Check scenario files and draw what they mean");
    auto settings = std::make_shared<ValidateSettings>();
    parser->add_option("scenario", settings->files, "Scenario files")->required();
    parser->add_option("--set", settings->overrides, "Override a value, as for run");
    parser->add_option("--seed", settings->seed, "The seed whose swarm is drawn");
    parser->footer(
        "\nExamples:\n"
        "  rushproof validate scenarios/fast/*.yaml          all of them, for CI\n"
        "  rushproof validate FILE --seed 7                  with the faults that seed 7 draws\n"
        "\nExit codes: 0 correct, 104 not.\n");
    return {parser, [settings] {
                bool good = true;
                for (const auto& file : settings->files) {
                    good = validate(file, *settings) && good;
                }
                return static_cast<int>(good ? ExitCode::pass : ExitCode::invalid_scenario);
            }};
}

Command add_schema(CLI::App& app) {
    auto* parser =
        app.add_subcommand("schema", "Print the JSON schema of scenario files, for editors");
    parser->footer(
        "\nExample:\n"
        "  rushproof schema > scenario-1.json\n");
    return {parser, [] {
                std::printf("%s", scenario_json_schema().c_str());
                return 0;
            }};
}

}  // namespace rushproof::simulator
