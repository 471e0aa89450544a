#include "simulator/cli/history_file.hpp"

#include <fstream>
#include <iostream>

#include "simulator/record/history_binary.hpp"

namespace rushproof::simulator {

Result<History> read_history_file(const std::string& file) {
    if (file == "-") { return read_history(std::cin); }
    std::ifstream input(file, std::ios::binary);
    if (!input) {
        return failure(ErrorKind::permanent, "file",
                       "cannot be read; does it exist, and is it a file?");
    }
    return read_history(input);
}

}  // namespace rushproof::simulator
