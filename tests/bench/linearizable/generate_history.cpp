// Writes a history of one hot SKU as JSON lines, for other checkers to judge:
//   generate_history OPERATIONS [UNKNOWN] > history.jsonl
// UNKNOWN is how many of a million operations have an unknown outcome.
#include <cstdlib>
#include <iostream>

#include "simulator/checkers/tests/history_generator.hpp"
#include "simulator/record/history_json.hpp"

int main(int argc, char** argv) {
    using namespace rushproof::simulator;
    GeneratorOptions options{.reads = 100'000};
    if (argc > 1) options.operations = std::strtoull(argv[1], nullptr, 10);
    if (argc > 2) options.unknown = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
    write_history_json(generate_history(options), std::cout);
    return std::cout.flush() ? 0 : 1;
}
