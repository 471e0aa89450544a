// What `rushproof validate` prints: the expanded matrix, the number of runs, and the load and the
// faults as lanes over time.
#pragma once
#include <cstdint>
#include <string>

#include "simulator/scenario/parser.hpp"

namespace rushproof::simulator {

struct DrawOptions {
    int width = 100;         // columns
    std::uint64_t seed = 0;  // whose swarm is drawn; 0: the scenario's first
};

// Plain text without colour, ASCII only.
std::string draw_scenario(const ParsedFile& parsed, DrawOptions options = {});

}  // namespace rushproof::simulator
