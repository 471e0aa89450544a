// rushproof check and export: judge a history file, whoever wrote it; turn it into other forms.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <memory>

#include "simulator/checkers/checker.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/cli/history_file.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/record/export.hpp"
#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {

namespace {

struct CheckSettings {
    std::string file;
    std::vector<std::string> checks;
    bool json = false;
};

void print_json(const History& history, const Judgement& judgement) {
    namespace json = boost::json;
    json::array checks;
    for (const CheckResult& result : judgement.results) {
        checks.push_back(
            json::object{{"name", result.name},
                         {"verdict", to_string(result.verdict)},
                         {"sentence", result.sentence},
                         {"operations", result.operations},
                         {"violations", result.violations},
                         {"witness", json::value_from(describe_witness(history, result))},
                         {"witness_events", json::value_from(result.witness)}});
    }
    const json::object report{{"verdict", to_string(judgement.verdict)},
                              {"checks", std::move(checks)}};
    std::printf("%s\n", json::serialize(report).c_str());
}

void print_text(const History& history, const Judgement& judgement) {
    for (const CheckResult& result : judgement.results) {
        std::printf("%-8s %-22s %s\n", std::string(to_string(result.verdict)).c_str(),
                    result.name.c_str(), result.sentence.c_str());
        for (const auto& line : describe_witness(history, result)) {
            std::printf("           %s\n", line.c_str());
        }
    }
    const std::size_t checks = judgement.results.size();
    std::printf("%s: %zu check%s over %zu events%s\n",
                std::string(to_string(judgement.verdict)).c_str(), checks, checks == 1 ? "" : "s",
                history.events.size(), checks == 0 ? ", for no check applies to them" : "");
}

int check(const CheckSettings& settings) {
    const auto history = read_history_file(settings.file);
    if (!history) {
        std::fprintf(stderr, "%s: %s\n", settings.file.c_str(), history.error().message().c_str());
        return static_cast<int>(ExitCode::invalid_scenario);
    }
    const auto judgement = judge(*history, settings.checks, CheckOptions{});
    if (!judgement) {
        std::fprintf(stderr, "%s\n", judgement.error().message().c_str());
        return static_cast<int>(ExitCode::invalid_scenario);
    }
    settings.json ? print_json(*history, *judgement) : print_text(*history, *judgement);
    switch (judgement->verdict) {
        case Verdict::pass: return static_cast<int>(ExitCode::pass);
        case Verdict::fail: return static_cast<int>(ExitCode::violated);
        case Verdict::unknown: return static_cast<int>(ExitCode::unknown);
    }
    return static_cast<int>(ExitCode::unknown);
}

struct ExportSettings {
    std::string file;
    std::string format = "jsonl";
};

int export_history(const ExportSettings& settings) {
    const auto history = read_history_file(settings.file);
    if (!history) {
        std::fprintf(stderr, "%s: %s\n", settings.file.c_str(), history.error().message().c_str());
        return static_cast<int>(ExitCode::invalid_scenario);
    }
    if (settings.format == "edn") {
        write_edn(*history, std::cout);
    } else if (settings.format == "jepsen-json") {
        write_jepsen_json(*history, std::cout);
    } else {
        write_history_json(*history, std::cout);
    }
    std::cout.flush();
    return std::cout ? 0 : static_cast<int>(ExitCode::unknown);
}

}  // namespace

Command add_check(CLI::App& app) {
    auto* parser = app.add_subcommand(
        "check", "Judge a history file by every check that applies (docs/history.md)");
    auto settings = std::make_shared<CheckSettings>();
    parser
        ->add_option("history", settings->file,
                     "JSON lines, or the history of a run directory; - is standard input")
        ->required();
    parser->add_option("--checks", settings->checks, "Only these, separated by commas")
        ->delimiter(',');
    parser->add_flag("--json", settings->json, "One JSON object instead of text");
    parser->footer(
        "\nExamples:\n"
        "  rushproof check history.jsonl\n"
        "  rushproof check - --json --checks no-oversell,linearizable < history.jsonl\n"
        "\nExit codes: 0 pass, 90 violated, 94 unknown, 104 the file cannot be read.\n");
    return {parser, [settings] { return check(*settings); }};
}

Command add_export(CLI::App& app) {
    auto* parser =
        app.add_subcommand("export", "Write a history in another form, for other checkers");
    auto settings = std::make_shared<ExportSettings>();
    parser->add_option("history", settings->file, "A history file, or - for standard input")
        ->required();
    parser->add_option("--format", settings->format, "jsonl, edn (Jepsen) or jepsen-json")
        ->check(CLI::IsMember({"jsonl", "edn", "jepsen-json"}));
    parser->footer(
        "\nExample:\n"
        "  rushproof export runs/flash-sale/naive-seed-1-sim/history --format edn > history.edn\n");
    return {parser, [settings] { return export_history(*settings); }};
}

}  // namespace rushproof::simulator
