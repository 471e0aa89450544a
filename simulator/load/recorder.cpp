#include "simulator/load/recorder.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace rushproof::simulator {

Recorder::Recorder(History& history, std::uint32_t part, std::uint32_t parts, Observer observer)
    : history_(history), next_process_(part), stride_(parts), observer_(std::move(observer)) {}

TextId Recorder::take_process() {
    if (free_processes_.empty()) {
        const TextId process = history_.texts.intern(std::to_string(next_process_));
        next_process_ += stride_;
        return process;
    }
    const TextId process = free_processes_.back();
    free_processes_.pop_back();
    return process;
}

void Recorder::give_back(TextId process) { free_processes_.push_back(process); }

Recorder::Operation Recorder::invoke(std::int64_t time, TextId process, Function function,
                                     std::string_view sku, std::string_view subject,
                                     std::int64_t amount) {
    Operation operation;
    operation.function = function;
    operation.process = process;
    if (!sku.empty()) { operation.key = history_.texts.intern(sku); }
    if (!subject.empty()) { operation.subject = history_.texts.intern(subject); }
    operation.amount = amount;
    append(time, operation, EventType::invoke, Failure::none);
    return operation;
}

Recorder::Operation Recorder::invoke_basket(
    std::int64_t time, TextId process, std::string_view subject,
    std::span<const std::pair<std::string, std::int64_t>> items) {
    std::vector<BasketLine> lines;
    for (const auto& [sku, quantity] : items) {
        const TextId key = history_.texts.intern(sku);
        const auto same = std::find_if(lines.begin(), lines.end(),
                                       [&](const BasketLine& line) { return line.key == key; });
        if (same == lines.end()) {
            lines.push_back({key, quantity});
        } else {
            same->quantity += quantity;
        }
    }
    history_.baskets.push_back(std::move(lines));
    Operation operation;
    operation.function = Function::basket;
    operation.process = process;
    operation.subject = history_.texts.intern(subject);
    operation.basket = static_cast<std::uint32_t>(history_.baskets.size());
    append(time, operation, EventType::invoke, Failure::none);
    return operation;
}

void Recorder::ok(std::int64_t time, const Operation& operation) {
    append(time, operation, EventType::ok, Failure::none);
}

void Recorder::ok_read(std::int64_t time, Operation operation, std::int64_t seen) {
    operation.amount = seen;
    append(time, operation, EventType::ok, Failure::none);
}

void Recorder::fail(std::int64_t time, Operation operation, Failure failure,
                    std::string_view refused_by) {
    if (!refused_by.empty()) { operation.key = history_.texts.intern(refused_by); }
    append(time, operation, EventType::fail, failure);
}

void Recorder::info(std::int64_t time, const Operation& operation) {
    append(time, operation, EventType::info, Failure::none);
}

void Recorder::append(std::int64_t time, const Operation& operation, EventType type,
                      Failure failure) {
    Event event;
    event.time = time;
    event.amount = operation.amount;
    event.process = operation.process;
    event.key = operation.key;
    event.subject = operation.subject;
    event.basket = operation.basket;
    event.type = type;
    event.function = operation.function;
    event.failure = failure;
    history_.events.push_back(event);
    if (observer_) { observer_(event); }
}

History merge_histories(std::vector<History> parts) {
    if (parts.size() == 1) { return std::move(parts.front()); }
    History merged;
    const auto move_text = [&](const History& from, TextId id) {
        return id == no_text ? no_text : merged.texts.intern(from.texts.text(id));
    };
    const History& first = parts.front();
    merged.scenario = first.scenario;
    merged.seed = first.seed;
    merged.world = first.world;
    merged.reservation_ttl = first.reservation_ttl;
    merged.clock_bound = first.clock_bound;
    merged.faults = first.faults;
    merged.switches = first.switches;
    for (const auto& [key, units] : first.initial_stock) {
        merged.initial_stock.emplace_back(move_text(first, key), units);
    }

    struct Place {
        std::int64_t time;
        std::size_t part;
        std::size_t index;
        auto operator<=>(const Place&) const = default;
    };
    std::vector<Place> places;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        for (std::size_t index = 0; index < parts[part].events.size(); ++index) {
            places.push_back({parts[part].events[index].time, part, index});
        }
    }
    std::sort(places.begin(), places.end());
    merged.events.reserve(places.size());
    // Where the baskets of each part are in the merged history, once they are.
    std::vector<std::vector<std::uint32_t>> baskets;
    baskets.reserve(parts.size());
    for (const History& part : parts) { baskets.emplace_back(part.baskets.size()); }
    for (const Place& place : places) {
        const History& from = parts[place.part];
        Event event = from.events[place.index];
        if (event.basket != 0) {
            std::uint32_t& moved = baskets[place.part][event.basket - 1];
            if (moved == 0) {
                std::vector<BasketLine> lines = from.baskets[event.basket - 1];
                for (BasketLine& line : lines) { line.key = move_text(from, line.key); }
                merged.baskets.push_back(std::move(lines));
                moved = static_cast<std::uint32_t>(merged.baskets.size());
            }
            event.basket = moved;
        }
        event.process = move_text(from, event.process);
        event.key = move_text(from, event.key);
        event.subject = move_text(from, event.subject);
        merged.events.push_back(event);
    }
    return merged;
}

}  // namespace rushproof::simulator
