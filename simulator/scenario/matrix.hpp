// What is done to the tree of a file before the tables read it: overrides, and one copy for each
// cell of the matrix.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "simulator/scenario/tables.hpp"

namespace rushproof::simulator {

// "load.flash.stages.0.target=8000/s".  `origin` is its number among the overrides, from 1.
void apply_override(Node& root, const std::string& override_text, std::size_t origin,
                    Reader& reader);

// The combinations of all axes, the first axis varying slowest, without the excluded ones.
std::vector<Cell> expand_matrix(const Strategy& strategy);

// The tree with every "${{ matrix.axis }}" filled in.
Node fill_in(const Node& root, const Strategy& strategy, const Cell& cell, Reader& reader);

// True when `cell` has all the values in `when`.
bool matches(const Cell& cell, const Cell& when);

}  // namespace rushproof::simulator
