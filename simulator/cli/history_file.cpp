#include "simulator/cli/history_file.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

#include "simulator/record/history_binary.hpp"
#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {

namespace {

Result<History> read_stream(std::istream& input) {
    // The binary form says so in its first byte; JSON lines begin with a brace or white space.
    return is_history_binary(input) ? read_history_binary(input) : read_history_json(input);
}

}  // namespace

Result<History> read_history(const std::string& file) {
    if (file == "-") { return read_stream(std::cin); }
    std::ifstream input(file, std::ios::binary);
    if (!input) {
        return failure(ErrorKind::permanent, "file",
                       "cannot be read; does it exist, and is it a file?");
    }
    return read_stream(input);
}

}  // namespace rushproof::simulator
