// A basket is reserved, confirmed, released and expired whole and at once.  Judged by the ledger:
// what became of it there is all of its lines, in one transaction, or none.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::array<std::string_view, 4> kinds{"reserve", "confirm", "release", "expire"};

// By SKU, once each.
using Lines = std::map<TextId, std::int64_t>;

struct Basket {
    const std::vector<BasketLine>* asked = nullptr;
    std::vector<std::uint32_t> events;
    std::array<Lines, kinds.size()> ledger;
    // The earliest and the latest of the transactions that wrote each.
    std::array<std::pair<std::int64_t, std::int64_t>, kinds.size()> at;
};

class Baskets {
public:
    explicit Baskets(const History& history) : history_(history) {}

    CheckResult judge() {
        for_each_operation(history_, [this](const Operation& operation) { add(operation); });
        for_each_operation(history_, [this](const Operation& operation) { add_end(operation); });
        for (const LedgerEntry& entry : history_.ledger) add(entry);
        for (const auto& [id, basket] : baskets_) {
            for (std::size_t kind = 0; kind < kinds.size(); ++kind) judge(id, basket, kind);
        }
        return findings_.result(baskets_.size(), "the ledger has all or nothing of " +
                                                     count_of(baskets_.size(), "basket") +
                                                     ", at every step");
    }

private:
    void add(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        if (event.function != Function::basket) return;
        Basket& basket = baskets_[event.subject];
        // Two requests under one key: what was acknowledged counts.
        if (basket.asked == nullptr || operation.outcome == Outcome::ok) {
            basket.asked = &history_.baskets[event.basket - 1];
        }
        basket.events.push_back(operation.shown());
    }

    void add_end(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        const auto basket = baskets_.find(event.subject);
        if (basket == baskets_.end() || event.function == Function::basket ||
            event.function == Function::find) {
            return;
        }
        basket->second.events.push_back(operation.shown());
    }

    void add(const LedgerEntry& entry) {
        const auto basket = baskets_.find(entry.reservation);
        const auto kind = std::find(kinds.begin(), kinds.end(), entry.kind);
        if (basket == baskets_.end() || kind == kinds.end()) return;
        const auto index = static_cast<std::size_t>(kind - kinds.begin());
        Lines& lines = basket->second.ledger[index];
        auto& [first, last] = basket->second.at[index];
        first = lines.empty() ? entry.at : std::min(first, entry.at);
        last = lines.empty() ? entry.at : std::max(last, entry.at);
        lines.emplace(entry.key, entry.quantity);
    }

    void judge(TextId id, const Basket& basket, std::size_t kind) {
        const Lines& found = basket.ledger[kind];
        if (found.empty()) return;
        Lines asked;
        for (const BasketLine& line : *basket.asked) asked.emplace(line.key, line.quantity);
        const std::string happened = "the ledger has its " + std::string(kinds[kind]);
        const auto [first, last] = basket.at[kind];
        if (found != asked) {
            findings_.violation("basket " + history_.texts.text(id) + " asked for " +
                                    in_words(asked) + ", and " + happened + " of " +
                                    in_words(found),
                                basket.events);
        } else if (first != last) {
            findings_.violation("basket " + history_.texts.text(id) +
                                    " was not taken at once: " + happened +
                                    " by transactions that began at t=" + format_time(first) +
                                    " and t=" + format_time(last),
                                basket.events);
        }
    }

    std::string in_words(const Lines& lines) const {
        std::string text;
        for (const auto& [key, quantity] : lines) {
            text += (text.empty() ? "" : " and ") + std::to_string(quantity) + " of " +
                    history_.texts.text(key);
        }
        return text;
    }

    const History& history_;
    std::map<TextId, Basket> baskets_;  // by reservation
    Findings findings_;
};

}  // namespace

bool has_audited_baskets(const History& history) {
    return has_audit(history) && has_event(history, {Function::basket});
}

CheckResult check_all_or_nothing(const History& history, const CheckOptions&) {
    return Baskets(history).judge();
}

}  // namespace rushproof::simulator
