// rushproof list: what there is, straight from the tables that the program itself uses.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "services/inventory/inventory.hpp"
#include "simulator/checkers/checker.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/faults/fault.hpp"
#include "simulator/models/database/limits.hpp"

namespace rushproof::simulator {

namespace {

void list_faults() {
    for (const FaultType* type : fault_types()) {
        std::printf("%-18s %-14s %s\n", std::string(to_string(type->kind)).c_str(),
                    type->live ? "sim and live" : "sim only", std::string(type->sentence).c_str());
    }
}

void list_checks() {
    for (const Checker& checker : checkers()) {
        std::printf("%-22s %s\n", std::string(checker.name).c_str(),
                    std::string(checker.promise).c_str());
    }
}

void list_strategies() {
    for (const auto strategy : inventory::all_strategies()) {
        std::printf("%-14s %s\n", std::string(inventory::to_string(strategy)).c_str(),
                    std::string(inventory::describe(strategy)).c_str());
    }
}

void list_limits() {
    for (const std::string_view limit : model_database_limits()) {
        std::printf("%s\n", std::string(limit).c_str());
    }
}

}  // namespace

Command add_list(CLI::App& app) {
    auto* parser = app.add_subcommand(
        "list", "List faults, checks, strategies, or the limits of the simulated database");
    auto what = std::make_shared<std::string>();
    parser->add_option("what", *what, "faults, checks, strategies or limits")
        ->required()
        ->check(CLI::IsMember({"faults", "checks", "strategies", "limits"}));
    return {parser, [what] {
                if (*what == "faults") {
                    list_faults();
                } else if (*what == "checks") {
                    list_checks();
                } else if (*what == "limits") {
                    list_limits();
                } else {
                    list_strategies();
                }
                return 0;
            }};
}

}  // namespace rushproof::simulator
