// What somebody typed, as settings.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/config/settings.hpp"

namespace rushproof {

enum class HostCommand : std::uint8_t { serve, migrate };

struct CommandLine {
    HostCommand command;
    Settings settings;
};

// Help was printed, or a mistake explained; this is what the process ends with.
struct CommandLineEnd {
    int exit_code;
};

inline constexpr int exit_bad_usage = 2;

std::variant<CommandLine, CommandLineEnd> parse_command_line(std::vector<std::string> arguments,
                                                             Settings::Texts variables);

}  // namespace rushproof
