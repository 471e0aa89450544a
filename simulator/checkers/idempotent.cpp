// However often a request is repeated under one key, it has one effect (in the ledger) and one
// answer (as far as clients were told).
#include <algorithm>
#include <tuple>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

bool reserves(const Event& event) {
    return event.function == Function::reserve || event.function == Function::basket;
}

// What is known of one reservation key.
struct Known {
    std::uint32_t made = no_index;  // the event that first acknowledged it
    bool may_have_ended = false;    // then a later refusal contradicts nothing
};

class Repeats {
public:
    explicit Repeats(const History& history) : history_(history) {}

    CheckResult judge() {
        judge_ledger();
        judge_answers();
        return findings_.result(examined_, "no request had two effects or two answers (" +
                                               std::to_string(examined_) + " examined)");
    }

private:
    void judge_ledger() {
        std::vector<const LedgerEntry*> entries;
        for (const LedgerEntry& entry : history_.ledger) {
            if (entry.reservation != no_text) entries.push_back(&entry);
        }
        examined_ += entries.size();
        std::sort(entries.begin(), entries.end(), [](const LedgerEntry* a, const LedgerEntry* b) {
            return std::tie(a->reservation, a->kind, a->key, a->number) <
                   std::tie(b->reservation, b->kind, b->key, b->number);
        });
        for (std::size_t i = 1; i < entries.size(); ++i) {
            const LedgerEntry& a = *entries[i - 1];
            const LedgerEntry& b = *entries[i];
            if (std::tie(a.reservation, a.kind, a.key) != std::tie(b.reservation, b.kind, b.key)) {
                continue;
            }
            findings_.violation(text(b.reservation) + " has more than one " + b.kind +
                                    " in the ledger of " + text(b.key) + ": numbers " +
                                    std::to_string(a.number) + " and " + std::to_string(b.number),
                                events_of(b.reservation));
        }
    }

    std::vector<std::uint32_t> events_of(TextId reservation) const {
        std::vector<std::uint32_t> found;
        if (findings_.has_violation()) return found;  // only the first is told
        for_each_operation(history_, [&](const Operation& operation) {
            if (history_.events[operation.invoked].subject == reservation) {
                found.push_back(operation.shown());
            }
        });
        return found;
    }

    void judge_answers() {
        std::vector<Known> known(history_.texts.size());
        for_each_operation(history_, [&](const Operation& operation) {
            const Event& event = history_.events[operation.invoked];
            if (event.subject == no_text) return;
            Known& about = known[event.subject];
            const bool made = reserves(event) && operation.outcome == Outcome::ok;
            if (made && about.made == no_index) about.made = operation.completed;
            const bool ends = !reserves(event) && event.function != Function::extend &&
                              event.function != Function::find;
            if (ends) about.may_have_ended = true;
        });
        for_each_operation(history_, [&](const Operation& operation) {
            const Event& event = history_.events[operation.invoked];
            if (reserves(event) && event.subject != no_text)
                compare(operation, known[event.subject]);
        });
    }

    void compare(const Operation& operation, const Known& known) {
        if (known.made == no_index || operation.completed == known.made) return;
        const Event& made = history_.events[known.made];
        const Event& event = history_.events[operation.invoked];
        ++examined_;
        if (operation.outcome == Outcome::ok && !same_request(made, event)) {
            findings_.violation(
                "key " + text(event.subject) + " was acknowledged for two different requests",
                {known.made, operation.completed});
        }
        const bool refused_later =
            operation.outcome == Outcome::refused && operation.call > made.time;
        if (refused_later && !known.may_have_ended) {
            findings_.violation("key " + text(event.subject) + " was acknowledged at t=" +
                                    format_time(made.time) + ", and refused when it was repeated",
                                {known.made, operation.completed});
        }
    }

    bool same_request(const Event& a, const Event& b) const {
        if (a.key != b.key || a.amount != b.amount) return false;
        if ((a.basket == 0) != (b.basket == 0)) return false;
        return a.basket == 0 || history_.baskets[a.basket - 1] == history_.baskets[b.basket - 1];
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    Findings findings_;
    std::uint64_t examined_ = 0;
};

}  // namespace

bool has_repeats(const History& history) {
    if (!history.ledger.empty()) return true;
    std::vector<bool> seen(history.texts.size());
    for (const Event& event : history.events) {
        if (event.type != EventType::invoke || !reserves(event) || event.subject == no_text)
            continue;
        if (seen[event.subject]) return true;
        seen[event.subject] = true;
    }
    return false;
}

CheckResult check_idempotent(const History& history, const CheckOptions&) {
    return Repeats(history).judge();
}

}  // namespace rushproof::simulator
