// The commands of `rushproof`, one file each.  add_* declares the options on the parser; the
// returned function carries the command out and gives the exit code.
#pragma once
#include <CLI/App.hpp>
#include <functional>

namespace rushproof::simulator {

using CommandFunction = std::function<int()>;
struct Command {
    CLI::App* parser;
    CommandFunction run;
};

Command add_run(CLI::App& app);
Command add_validate(CLI::App& app);
Command add_replay(CLI::App& app);
Command add_trace(CLI::App& app);
Command add_check(CLI::App& app);
Command add_export(CLI::App& app);
Command add_report(CLI::App& app);
Command add_doctor(CLI::App& app);
Command add_list(CLI::App& app);
Command add_schema(CLI::App& app);
Command add_queue(CLI::App& app);

}  // namespace rushproof::simulator
