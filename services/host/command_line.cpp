#include "services/host/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <list>
#include <utility>

#include "services/host/host_config.hpp"

namespace rushproof {

namespace {

struct Flag {
    std::string name;
    std::string text;
    CLI::Option* option;
};

// Those settings that the command reads.
void add_flags(CLI::App& command, std::list<Flag>& flags,
               const std::function<bool(std::string_view)>& is_read) {
    for (const SettingInfo& info : known_settings()) {
        if (!is_read(info.name)) { continue; }
        Flag& flag = flags.emplace_back(Flag{std::string(info.name), "", nullptr});
        flag.option =
            command.add_option(flag_of(info.name), flag.text,
                               std::string(info.help) + " (" + variable_of(info.name) + ")");
        flag.option->option_text(info.fallback.empty() ? ""
                                                       : "[" + std::string(info.fallback) + "]");
    }
}

Settings::Texts given(const std::list<Flag>& flags) {
    Settings::Texts texts;
    for (const Flag& flag : flags) {
        if (flag.option->count() > 0) { texts.emplace(flag.name, flag.text); }
    }
    return texts;
}

}  // namespace

std::variant<CommandLine, CommandLineEnd> parse_command_line(std::vector<std::string> arguments,
                                                             Settings::Texts variables) {
    CLI::App app("Rushproof's services: one program, roles by flag.", "rushproofd");
    app.require_subcommand(1);
    std::list<Flag> serve_flags;
    std::list<Flag> migrate_flags;
    CLI::App* serve = app.add_subcommand("serve", "Serve until SIGTERM or SIGINT");
    CLI::App* migrate = app.add_subcommand("migrate", "Bring the database's tables up to date");
    add_flags(*serve, serve_flags, [](std::string_view) { return true; });
    add_flags(*migrate, migrate_flags, [](std::string_view name) { return name == "database"; });
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
        return CommandLineEnd{app.exit(error) == 0 ? 0 : exit_bad_usage};
    }
    const bool is_serve = serve->parsed();
    auto flags = given(is_serve ? serve_flags : migrate_flags);
    return CommandLine{is_serve ? HostCommand::serve : HostCommand::migrate,
                       Settings(known_settings(), std::move(flags), std::move(variables))};
}

}  // namespace rushproof
