// The one description of what may stand in a scenario file.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "simulator/scenario/schema_types.hpp"

namespace rushproof::simulator {

// The format that this program reads: the value of the key `rushproof`.
inline constexpr std::int64_t format_version = 1;

using Cell = std::vector<std::pair<std::string, std::string>>;  // axis, value

struct Strategy {
    bool fail_fast = true;
    std::vector<std::pair<std::string, std::vector<Node>>> axes;
    std::vector<Cell> exclude;
};

struct Expectation {
    Location location;
    Cell when;  // all of it must hold
    std::vector<std::string> fail;
};

// A file as its tables say it, for one cell of the matrix.
struct Document {
    std::int64_t version = format_version;
    Strategy strategy;
    std::vector<Expectation> expect;
    Scenario scenario;
};

// Built once: building it takes longer than reading a file with it.
const Type<Document>& document_type();
Type<Strategy> strategy_type();

}  // namespace rushproof::simulator
