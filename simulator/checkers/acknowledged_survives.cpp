// What a client was told to have happened is in the audited ledger, whatever became of the servers
// meanwhile.  Everything that is lost is named: somebody has to make it good.
#include <algorithm>
#include <limits>
#include <tuple>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

// Names beyond that would drown the report.
constexpr std::size_t named_max = 200;

bool is_kept_in_ledger(Function function) {
    return function == Function::reserve || function == Function::basket ||
           function == Function::confirm || function == Function::release;
}

class Search {
public:
    explicit Search(const History& history) : history_(history) {
        for (const LedgerEntry& entry : history.ledger) {
            if (const auto function = parse_function(entry.kind)) {
                entries_.emplace_back(entry.reservation, *function, entry.key, entry.quantity);
            }
        }
        std::sort(entries_.begin(), entries_.end());
    }

    CheckResult judge() {
        for_each_operation(history_, [this](const Operation& operation) { look_up(operation); });
        Findings findings;
        if (!lost_.empty()) findings.violation(sentence(), witness_);
        CheckResult result = findings.result(
            operations_, "the ledger has all " + count_of(operations_, "acknowledged operation"));
        result.violations = lost_.size();
        return result;
    }

private:
    // Reservation, function, SKU, quantity.
    using Entry = std::tuple<TextId, Function, TextId, std::int64_t>;

    void look_up(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        if (operation.outcome != Outcome::ok || !is_kept_in_ledger(event.function)) return;
        ++operations_;
        if (event.function == Function::confirm || event.function == Function::release) {
            if (find(event.subject, event.function, no_text) == nullptr) lose(operation, "");
        } else if (event.basket == 0) {
            look_up(operation, event.key, event.amount);
        } else {
            for (const BasketLine& line : history_.baskets[event.basket - 1]) {
                look_up(operation, line.key, line.quantity);
            }
        }
    }

    void look_up(const Operation& operation, TextId key, std::int64_t quantity) {
        const TextId reservation = history_.events[operation.invoked].subject;
        const Entry* entry = find(reservation, Function::reserve, key);
        const std::string what = std::to_string(quantity) + " of " + text(key) + ", ";
        if (entry == nullptr) {
            lose(operation, what);
        } else if (std::get<3>(*entry) != quantity) {
            lose(operation,
                 what + "of which the ledger has " + std::to_string(std::get<3>(*entry)) + ", ");
        }
    }

    // Of any SKU with no_text.
    const Entry* find(TextId reservation, Function function, TextId key) const {
        const Entry least{reservation, function, key == no_text ? 0 : key,
                          std::numeric_limits<std::int64_t>::min()};
        const auto entry = std::lower_bound(entries_.begin(), entries_.end(), least);
        const bool found = entry != entries_.end() && std::get<0>(*entry) == reservation &&
                           std::get<1>(*entry) == function &&
                           (key == no_text || std::get<2>(*entry) == key);
        return found ? &*entry : nullptr;
    }

    void lose(const Operation& operation, const std::string& what) {
        const Event& event = history_.events[operation.invoked];
        const Function function =
            event.function == Function::basket ? Function::reserve : event.function;
        lost_.push_back("the " + std::string(to_string(function)) + " of " + text(event.subject) +
                        " (" + what + "at t=" + format_time(operation.returned) + ")");
        witness_.push_back(operation.shown());
    }

    std::string sentence() const {
        std::string list;
        for (std::size_t i = 0; i < std::min(lost_.size(), named_max); ++i) {
            list += (i == 0 ? ": " : ", ") + lost_[i];
        }
        if (lost_.size() > named_max) {
            list += " and " + std::to_string(lost_.size() - named_max) + " more";
        }
        return "lost " + std::to_string(lost_.size()) + " of " +
               count_of(operations_, "acknowledged operation") + list;
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    std::vector<Entry> entries_;  // sorted
    std::vector<std::string> lost_;
    std::vector<std::uint32_t> witness_;
    std::uint64_t operations_ = 0;
};

}  // namespace

CheckResult check_acknowledged_survives(const History& history, const CheckOptions&) {
    return Search(history).judge();
}

}  // namespace rushproof::simulator
