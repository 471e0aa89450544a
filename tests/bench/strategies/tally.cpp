#include "tests/bench/strategies/tally.hpp"

#include <iostream>

namespace rushproof::bench {

void Tally::log(LogLevel level, std::string_view event, LogFields fields) {
    if (level < LogLevel::warning) { return; }
    std::cerr << event;
    for (const auto& [name, value] : fields) { std::cerr << " " << name << "=" << value; }
    std::cerr << "\n";
}

Tally::Sum& Tally::find(std::string_view name, const Labels& labels) {
    std::string cause;
    for (const auto& [label, value] : labels) {
        if (label == "cause") { cause = value; }
    }
    return sums_[{std::string(name), cause}];
}

Tally::Sum Tally::of(const std::string& name, const std::string& cause) const {
    Sum total;
    for (const auto& [key, sum] : sums_) {
        if (key.first != name || (!cause.empty() && key.second != cause)) { continue; }
        total.value += sum.value;
        total.observations += sum.observations;
    }
    return total;
}

void Tally::reset() {
    for (auto& [name, sum] : sums_) { sum = Sum(); }
}

}  // namespace rushproof::bench
