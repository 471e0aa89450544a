// Histories as lines of text, for tests.
#pragma once
#include <string>
#include <vector>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

inline std::string describe(const History& history, const Event& event) {
    const auto text = [&](TextId id) { return id == no_text ? "-" : history.texts.text(id); };
    std::string line = std::to_string(event.time) + ' ' + text(event.process) + ' ';
    line.append(to_string(event.type)).append(" ").append(to_string(event.function));
    line += ' ' + text(event.key) + ' ' + text(event.subject);
    line += ' ' + std::to_string(event.amount);
    if (event.basket != 0) {
        for (const BasketLine& item : history.baskets[event.basket - 1]) {
            line += " [" + std::to_string(item.quantity) + ' ' + text(item.key) + ']';
        }
    }
    if (event.failure == Failure::insufficient) { line += " insufficient"; }
    if (event.failure == Failure::other) { line += " other"; }
    return line;
}

inline std::vector<std::string> describe(const History& history) {
    std::vector<std::string> lines;
    lines.reserve(history.events.size());
    for (const Event& event : history.events) { lines.push_back(describe(history, event)); }
    return lines;
}

}  // namespace rushproof::simulator
