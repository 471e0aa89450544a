#include "simulator/faults/links.hpp"

namespace rushproof::simulator {

std::vector<std::pair<std::string, std::string>> links_of(const Fault& fault) {
    const auto [near, far] =
        fault.between ? *fault.between : std::pair<std::string, std::string>(fault.target, "");
    std::vector<std::pair<std::string, std::string>> links;
    if (fault.direction != Direction::out) { links.emplace_back(far, near); }
    if (fault.direction != Direction::in) { links.emplace_back(near, far); }
    return links;
}

}  // namespace rushproof::simulator
