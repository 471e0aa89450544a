#include "simulator/record/history_rules.hpp"

#include <algorithm>
#include <set>

namespace rushproof::simulator {
namespace {

bool has_quantity(Function function) {
    return function == Function::reserve || function == Function::restock;
}

bool has_reservation(Function function) {
    return function == Function::reserve || function == Function::confirm ||
           function == Function::release || function == Function::expire ||
           function == Function::basket || function == Function::extend ||
           function == Function::find;
}

bool has_message(Function function) {
    return function == Function::enqueue || function == Function::process;
}

// What may stand as a lone `ok`: nobody asked for it.
bool needs_no_invocation(Function function) {
    return function == Function::expire || function == Function::process;
}

bool is_found(std::int64_t amount) {
    return amount >= 0 && amount <= static_cast<std::int64_t>(Found::expired);
}

std::optional<std::string> unless_between(std::string_view what, std::int64_t value,
                                          std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return std::nullopt;
    return std::string(what) + " is " + std::to_string(value) + ": give a number from " +
           std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

std::optional<std::string> EventAppender::append(Event event) {
    if (history_.events.size() >= retired) return "more events than one history can hold";
    if (event.process == no_text) return "`process` is missing: give the client a number or a name";
    if (auto problem = advance(event.time)) return problem;
    if (event.process >= processes_.size()) processes_.resize(history_.texts.size(), idle);

    std::uint32_t& state = processes_[event.process];
    if (state == retired) {
        return who(event) + " acts again after `info`: go on under a process that was not used yet";
    }
    auto problem = event.type == EventType::invoke ? invoke(event, state) : complete(event, state);
    if (problem) return problem;
    history_.events.push_back(event);
    return std::nullopt;
}

std::optional<std::string> EventAppender::advance(std::int64_t time) {
    if (time < -time_max || time > time_max) {
        return "the time " + std::to_string(time) + " is out of range: give ns since the start";
    }
    if (time < time_) {
        return "time goes backwards, from " + std::to_string(time_) + " to " +
               std::to_string(time) + ": sort the lines by time";
    }
    time_ = time;
    return std::nullopt;
}

std::optional<std::string> EventAppender::invoke(const Event& event, std::uint32_t& state) {
    if (state != idle) {
        return who(event) + " invokes " + std::string(to_string(event.function)) + " while its " +
               std::string(to_string(history_.events[state].function)) +
               " is under way: use one process for each operation under way";
    }
    if (auto problem = check_content(event)) return problem;
    state = static_cast<std::uint32_t>(history_.events.size());
    return std::nullopt;
}

std::optional<std::string> EventAppender::complete(Event& event, std::uint32_t& state) {
    if (state == idle) {
        if (event.type != EventType::ok || !needs_no_invocation(event.function)) {
            return who(event) + " completes " + std::string(to_string(event.function)) +
                   ", but invoked nothing: write the invoke before its completion";
        }
        return check_content(event);
    }
    const Event& invoked = history_.events[state];
    if (event.function != invoked.function) {
        return who(event) + " completes " + std::string(to_string(event.function)) + ", but its " +
               std::string(to_string(invoked.function)) + " is under way: complete that first";
    }
    if (event.key == no_text) event.key = invoked.key;
    if (event.subject == no_text) event.subject = invoked.subject;
    if (event.basket == 0) event.basket = invoked.basket;
    if (event.amount == 0 && event.function != Function::read) event.amount = invoked.amount;
    if (!completes(event, invoked)) {
        return who(event) + " completes something else than the " +
               std::string(to_string(invoked.function)) + " that it invoked at " +
               std::to_string(invoked.time) + ": repeat its key and value";
    }
    if (event.function == Function::read) {
        auto problem = unless_between("`available`", event.amount, -stock_max, stock_max);
        if (problem) return problem;
    }
    const bool finds = event.function == Function::find && event.type == EventType::ok;
    if (finds && !is_found(event.amount)) {
        return "a find is `ok` without a `state`: give absent, held, confirmed, released or "
               "expired";
    }
    event.basket = invoked.basket;
    state = event.type == EventType::info ? retired : idle;
    return std::nullopt;
}

bool EventAppender::completes(const Event& event, const Event& invoked) const {
    if (event.subject != invoked.subject) return false;
    if (event.amount != invoked.amount && has_quantity(event.function)) return false;
    if (invoked.basket == 0) {
        return event.basket == 0 && (event.key == invoked.key || invoked.key == no_text);
    }

    const std::vector<BasketLine>& lines = history_.baskets[invoked.basket - 1];
    const bool names_a_line = event.key == invoked.key ||
                              std::any_of(lines.begin(), lines.end(), [&](const BasketLine& line) {
                                  return line.key == event.key;
                              });
    return names_a_line &&
           (event.basket == invoked.basket || history_.baskets[event.basket - 1] == lines);
}

std::optional<std::string> EventAppender::check_content(const Event& event) const {
    const std::string function(to_string(event.function));
    if (has_reservation(event.function) && event.subject == no_text) {
        return function + " needs a `reservation` in its value: the key that the client chose";
    }
    if (has_message(event.function) && event.subject == no_text) {
        return function + " needs a `message` in its value: the id of the message";
    }
    if ((has_quantity(event.function) || event.function == Function::read) &&
        event.key == no_text) {
        return function + " needs a `key`: the SKU";
    }
    if (has_quantity(event.function) && (event.amount < 1 || event.amount > quantity_max)) {
        return "the quantity is " + std::to_string(event.amount) +
               ": give a `quantity` from 1 to " + std::to_string(quantity_max);
    }
    return check_basket(event);
}

std::optional<std::string> EventAppender::check_basket(const Event& event) const {
    if ((event.function == Function::basket) != (event.basket != 0)) {
        return "a basket, and nothing else, has `lines` of key and quantity in its value";
    }
    if (event.function != Function::basket) return std::nullopt;
    const std::vector<BasketLine>& lines = history_.baskets[event.basket - 1];
    if (lines.empty() || lines.size() > basket_lines_max) {
        return "the basket has " + std::to_string(lines.size()) + " lines: give 1 to " +
               std::to_string(basket_lines_max);
    }
    std::set<TextId> keys;
    for (const BasketLine& line : lines) {
        if (line.key == no_text || line.quantity < 1 || line.quantity > quantity_max) {
            return "a line of the basket needs a `key` and a `quantity` from 1 to " +
                   std::to_string(quantity_max);
        }
        if (!keys.insert(line.key).second) {
            return "the basket names " + history_.texts.text(line.key) +
                   " twice: add the quantities up";
        }
    }
    return std::nullopt;
}

std::string EventAppender::who(const Event& event) const {
    return "process " + history_.texts.text(event.process);
}

std::optional<std::string> problem_of(const LedgerEntry& entry) {
    const auto function = parse_function(entry.kind);
    const bool is_stock = entry.kind == "stock";
    if (!is_stock && (!function || *function > Function::expire)) {
        return "`kind` is \"" + entry.kind + "\": give stock, reserve, confirm, release or expire";
    }
    if (entry.key == no_text) return "a ledger entry needs a `key`: the SKU";
    if (is_stock != (entry.reservation == no_text)) {
        return "a ledger entry needs a `reservation`, unless it changes the stock";
    }
    auto problem = is_stock ? unless_between("`quantity`", entry.quantity, -stock_max, stock_max)
                            : unless_between("`quantity`", entry.quantity, 1, quantity_max);
    if (!problem) problem = unless_between("`at`", entry.at, -time_max, time_max);
    if (!problem) {
        problem = unless_between("`committed_before`", entry.committed_before, entry.at, time_max);
    }
    return problem;
}

std::optional<std::string> problem_of(const FinalStock& stock) {
    if (stock.key == no_text) return "the final stock needs a `key`: the SKU";
    auto problem = unless_between("`on_hand`", stock.on_hand, -stock_max, stock_max);
    if (!problem) problem = unless_between("`held`", stock.held, -stock_max, stock_max);
    if (!problem) problem = unless_between("`sold`", stock.sold, -stock_max, stock_max);
    return problem;
}

std::optional<std::string> problem_of(const QueueSwitch& change) {
    if (change.id.empty()) return "a switch needs an `id`";
    if (change.to.empty()) return "a switch needs a `to`: the new queue";
    if (change.outcome == EventType::invoke) return "a switch is told at its end";
    auto problem = unless_between("`epoch`", change.epoch, 0, stock_max);
    if (!problem) { problem = unless_between("`carried_over`", change.carried_over, 0, stock_max); }
    if (!problem) problem = unless_between("`time`", change.ended, -time_max, time_max);
    if (!problem) problem = unless_between("`began`", change.began, -time_max, change.ended);
    return problem;
}

std::optional<std::string> problem_of(const Divergence& divergence) {
    if (divergence.message == no_text) return "a divergence needs a `message`";
    if (divergence.on.empty() || divergence.missing.empty()) {
        return "a divergence needs `on` and `missing`: the queues that have the message and lack "
               "it";
    }
    return unless_between("`at`", divergence.at, -time_max, time_max);
}

std::optional<std::string> problem_of_header(const History& history) {
    std::set<TextId> keys;
    for (const auto& [key, quantity] : history.initial_stock) {
        const std::string& name = history.texts.text(key);
        if (auto problem = unless_between("the stock of " + name, quantity, 0, stock_max)) {
            return problem;
        }
        if (!keys.insert(key).second) return "stock names " + name + " twice: once is right";
    }
    if (auto problem = unless_between("`ttl`", history.reservation_ttl, 0, time_max)) {
        return problem;
    }
    return unless_between("`clock_bound`", history.clock_bound, 0, time_max);
}

}  // namespace rushproof::simulator
