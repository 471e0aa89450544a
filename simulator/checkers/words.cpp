// Events in words, for witnesses.
#include <algorithm>

#include "simulator/checkers/checker.hpp"
#include "simulator/checkers/findings.hpp"

namespace rushproof::simulator {
namespace {

std::string who(const History& history, const Event& event) {
    const std::string& name = history.texts.text(event.process);
    const bool number = name.find_first_not_of("0123456789") == std::string::npos;
    return number ? "client " + name : name;
}

// From its invocation to its completion, as far as it has both.
std::string when(const History& history, std::size_t index) {
    const Event& event = history.events[index];
    std::string time = "t=" + format_time(event.time);
    if (event.type == EventType::invoke) return time;
    for (std::size_t i = index; i-- > 0;) {
        const Event& before = history.events[i];
        if (before.process != event.process) continue;
        if (before.type != EventType::invoke) break;
        return "t=" + format_time(before.time) + " to " + format_time(event.time);
    }
    return time;
}

std::string text_or(const History& history, TextId id, std::string_view otherwise) {
    return id == no_text ? std::string(otherwise) : history.texts.text(id);
}

std::string what(const History& history, const Event& event) {
    std::string function(to_string(event.function));
    const std::string key = text_or(history, event.key, "?");
    const std::string subject = text_or(history, event.subject, "?");
    switch (event.function) {
        case Function::reserve:
        case Function::restock: return function + " " + std::to_string(event.amount) + " of " + key;
        case Function::read: return "read " + key;
        case Function::basket: {
            std::string text = "reserve";
            if (event.basket == 0) return text + " a basket";
            for (const BasketLine& line : history.baskets[event.basket - 1]) {
                text += (text == "reserve" ? " " : " and ") + std::to_string(line.quantity) +
                        " of " + history.texts.text(line.key);
            }
            return text;
        }
        case Function::confirm:
        case Function::release:
        case Function::expire:
        case Function::extend:
        case Function::find: return function + " " + subject;
        case Function::enqueue:
        case Function::process:
            return function + " " + subject + (event.key == no_text ? "" : " of " + key);
    }
    return function;
}

std::string answer(const History& history, const Event& event) {
    switch (event.type) {
        case EventType::invoke: return "no answer";
        case EventType::info: return "unknown";
        case EventType::fail:
            if (event.failure != Failure::insufficient) return "failed";
            return event.function == Function::basket && event.key != no_text
                       ? "insufficient " + history.texts.text(event.key)
                       : "insufficient";
        case EventType::ok: break;
    }
    if (event.function == Function::find) {
        return std::string(to_string(static_cast<Found>(event.amount)));
    }
    return event.function == Function::read ? std::to_string(event.amount) + " available" : "ok";
}

}  // namespace

std::string describe_event(const History& history, std::size_t index) {
    const Event& event = history.events[index];
    std::string text = when(history, index) + "  " + who(history, event) + "  " +
                       what(history, event) + " -> " + answer(history, event);
    const bool made = event.function == Function::reserve || event.function == Function::basket;
    if (made && event.subject != no_text) text += " (" + history.texts.text(event.subject) + ")";
    return text;
}

std::vector<std::string> describe_witness(const History& history, const CheckResult& result) {
    std::vector<std::string> lines;
    lines.reserve(result.witness.size());
    for (const std::size_t index : result.witness) lines.push_back(describe_event(history, index));
    return lines;
}

}  // namespace rushproof::simulator
