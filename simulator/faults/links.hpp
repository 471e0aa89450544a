// Which links a latency or partition fault means.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

// `between` a and b, or everything that goes in and out of the target; `in` means towards the
// target (or towards a).
std::vector<std::pair<std::string, std::string>> links_of(const Fault& fault);

}  // namespace rushproof::simulator
