// rushproof report: rebuilds any report from run directories.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "reports/report.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/cli/run_directory.hpp"
#include "simulator/models/database/limits.hpp"

namespace rushproof::simulator {

namespace {

struct ReportSettings {
    std::vector<std::string> runs;
    std::string format = "text";
    std::string output;
};

// A run.json, a run directory, or a folder of run directories.
std::vector<std::filesystem::path> run_files(const std::filesystem::path& place) {
    if (!std::filesystem::is_directory(place)) { return {place}; }
    if (std::filesystem::exists(place / "run.json")) { return {place / "run.json"}; }
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(place)) {
        if (std::filesystem::exists(entry.path() / "run.json")) {
            found.push_back(entry.path() / "run.json");
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::string render(const std::string& format, const std::vector<RunRecord>& runs) {
    if (format == "html") { return reports::html_report(runs, model_database_limits()); }
    if (format == "junit") { return reports::junit_report(runs); }
    if (format == "github") { return reports::github_annotations(runs); }
    if (format == "markdown") { return reports::markdown_report(runs); }
    if (format == "json") {
        std::string lines;
        for (const RunRecord& run : runs) { lines += reports::run_json(run) + "\n"; }
        return lines;
    }
    return reports::terminal_report(runs);
}

int report(const ReportSettings& settings) {
    constexpr int cannot_read = static_cast<int>(ExitCode::invalid_scenario);
    std::vector<RunRecord> runs;
    for (const auto& place : settings.runs) {
        const auto files = run_files(place);
        if (files.empty()) {
            std::fprintf(stderr, "%s: no run.json in it or right below it\n", place.c_str());
            return cannot_read;
        }
        for (const auto& file : files) {
            const auto text = read_file(file);
            if (!text) {
                std::fprintf(stderr, "%s\n", text.error().message().c_str());
                return cannot_read;
            }
            auto run = reports::parse_run_json(*text);
            if (!run) {
                std::fprintf(stderr, "%s: %s\n", file.c_str(), run.error().message().c_str());
                return cannot_read;
            }
            runs.push_back(std::move(*run));
        }
    }
    const std::string text = render(settings.format, runs);
    if (settings.output.empty()) {
        std::printf("%s", text.c_str());
        return 0;
    }
    const auto written = write_file(settings.output, text);
    if (!written) { std::fprintf(stderr, "%s\n", written.error().message().c_str()); }
    return written ? 0 : cannot_read;
}

}  // namespace

Command add_report(CLI::App& app) {
    auto* parser = app.add_subcommand("report", "Rebuild a report from run directories");
    auto settings = std::make_shared<ReportSettings>();
    parser
        ->add_option("runs", settings->runs, "run.json files, run directories, or folders of them")
        ->required();
    parser->add_option("--format", settings->format, "text, html, json, junit, github or markdown")
        ->check(CLI::IsMember({"text", "html", "json", "junit", "github", "markdown"}));
    parser->add_option("--output", settings->output, "Into this file instead of standard output");
    parser->footer(
        "\nExample:\n"
        "  rushproof report runs/flash-sale --format html --output report.html\n");
    return {parser, [settings] { return report(*settings); }};
}

}  // namespace rushproof::simulator
