// rushproofd: Rushproof's services.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "services/host/command_line.hpp"
#include "services/host/host_config.hpp"
#include "services/host/real_world.hpp"

namespace rushproof {

namespace {

constexpr int exit_cannot_start = 1;

Settings::Texts environment_variables() {
    Settings::Texts variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto split = text.find('=');
        if (split == text.npos) { continue; }
        variables.emplace(text.substr(0, split), text.substr(split + 1));
    }
    return variables;
}

int end_with(const Error& error) {
    std::fprintf(stderr, "rushproofd: %s\n", error.message().c_str());
    return error.code() == "bad-setting" ? exit_bad_usage : exit_cannot_start;
}

int run(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    auto parsed = parse_command_line({argv + 1, argv + argc}, environment_variables());
    if (const auto* end = std::get_if<CommandLineEnd>(&parsed)) { return end->exit_code; }
    const auto& line = std::get<CommandLine>(parsed);
    if (line.command == HostCommand::migrate) {
        const auto config = read_migrate_config(line.settings);
        if (!config) { return end_with(config.error()); }
        const auto migrated = migrate(*config);
        return migrated ? 0 : end_with(migrated.error());
    }
    const auto config = read_config(line.settings);
    if (!config) { return end_with(config.error()); }
    const auto served = serve(*config);
    return served ? 0 : end_with(served.error());
}

}  // namespace

}  // namespace rushproof

int main(int argc, char** argv) {
    try {
        return rushproof::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rushproofd: %s\n", error.what());
        return rushproof::exit_cannot_start;
    }
}
