#include "simulator/record/history.hpp"

#include <algorithm>
#include <array>

#include "core/base/hash.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::size_t first_slots = 64;

constexpr std::array<std::string_view, 4> type_words{"invoke", "ok", "fail", "info"};
constexpr std::array<std::string_view, 11> function_words{
    "reserve", "confirm", "release", "expire", "read", "restock",
    "basket",  "enqueue", "process", "extend", "find"};
constexpr std::array<std::string_view, 5> found_words{"absent", "held", "confirmed", "released",
                                                      "expired"};
constexpr std::array<std::string_view, 3> divergence_words{"open", "repaired", "unrecorded"};

template <class Enum, std::size_t size>
std::optional<Enum> parse(const std::array<std::string_view, size>& words, std::string_view word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<Enum>(found - words.begin());
}

}  // namespace

TextId TextTable::intern(std::string_view text) {
    if (2 * (texts_.size() + 1) > slots_.size()) grow();
    TextId& id = slots_[slot(text)];
    if (id == no_text) {
        id = static_cast<TextId>(texts_.size());
        texts_.emplace_back(text);
    }
    return id;
}

std::optional<TextId> TextTable::find(std::string_view text) const {
    if (slots_.empty()) return std::nullopt;
    const TextId id = slots_[slot(text)];
    return id == no_text ? std::nullopt : std::optional(id);
}

// Where `text` is, or the free slot where it belongs.
std::size_t TextTable::slot(std::string_view text) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash64(text) & mask;
    while (slots_[at] != no_text && texts_[slots_[at]] != text) at = (at + 1) & mask;
    return at;
}

void TextTable::grow() {
    slots_.assign(std::max(first_slots, 2 * slots_.size()), no_text);
    for (TextId id = 0; id < texts_.size(); ++id) slots_[slot(texts_[id])] = id;
}

std::string_view to_string(EventType type) { return type_words[static_cast<std::size_t>(type)]; }

std::string_view to_string(Function function) {
    return function_words[static_cast<std::size_t>(function)];
}

std::optional<EventType> parse_event_type(std::string_view word) {
    return parse<EventType>(type_words, word);
}

std::string_view to_string(Found found) { return found_words[static_cast<std::size_t>(found)]; }

std::optional<Found> parse_found(std::string_view word) { return parse<Found>(found_words, word); }

std::string_view to_string(DivergenceState state) {
    return divergence_words[static_cast<std::size_t>(state)];
}

std::optional<DivergenceState> parse_divergence_state(std::string_view word) {
    return parse<DivergenceState>(divergence_words, word);
}

std::optional<Function> parse_function(std::string_view word) {
    return parse<Function>(function_words, word);
}

std::vector<const FaultEvent*> faults_by_time(const History& history) {
    std::vector<const FaultEvent*> faults;
    faults.reserve(history.faults.size());
    for (const FaultEvent& fault : history.faults) faults.push_back(&fault);
    // All point into one vector, so that comparing the pointers compares the indexes.
    std::sort(faults.begin(), faults.end(), [](const FaultEvent* a, const FaultEvent* b) {
        return a->time != b->time ? a->time < b->time : a < b;
    });
    return faults;
}

}  // namespace rushproof::simulator
