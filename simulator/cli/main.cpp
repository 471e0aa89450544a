// rushproof: the bench.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <vector>

#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"

namespace {

constexpr const char* about =
    "Finds out whether a reservation system oversells, loses or doubles anything when everybody\n"
    "comes at once and parts of it break: in seeded virtual time, or live.\n";

constexpr const char* examples =
    "\nExamples:\n"
    "  rushproof run scenarios/fast/flash-sale.yaml            every strategy, in virtual time\n"
    "  rushproof validate scenarios/fast/swarm.yaml            what a file means\n"
    "  rushproof check history.jsonl                           judge anybody's history\n"
    "  rushproof run --help                                    the same for one command\n";

}  // namespace

int main(int argc, char** argv) {
    namespace cli = rushproof::simulator;
    constexpr int usage_error = static_cast<int>(cli::ExitCode::invalid_scenario);
    try {
        CLI::App app(about, "rushproof");
        app.require_subcommand(1);
        app.set_version_flag("--version", cli::build_text());
        const std::vector<cli::Command> commands{
            cli::add_run(app),   cli::add_validate(app), cli::add_replay(app), cli::add_trace(app),
            cli::add_check(app), cli::add_export(app),   cli::add_report(app), cli::add_doctor(app),
            cli::add_list(app),  cli::add_schema(app),   cli::add_queue(app)};
        app.footer(examples);  // last, for commands inherit it
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : usage_error; }
        for (const auto& command : commands) {
            if (command.parser->parsed()) { return command.run(); }
        }
        return usage_error;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rushproof: %s\n", error.what());
        return usage_error;
    }
}
