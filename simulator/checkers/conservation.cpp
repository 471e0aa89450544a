// The audited books: the columns of each SKU against its ledger, and that nothing is in the ledger
// that nobody asked for.
#include <algorithm>
#include <array>
#include <map>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::size_t operations_shown = 6;

struct Book {
    std::int64_t initial = 0;
    std::int64_t stock_changes = 0;
    std::int64_t reserved = 0;
    std::int64_t confirmed = 0;
    std::int64_t given_back = 0;
    bool has_entries = false;
    const FinalStock* columns = nullptr;
    // The entry with the lowest number may be the one that put the initial stock there.
    const LedgerEntry* first = nullptr;
};

// What clients were told about one (reservation, function).
enum class Told : std::uint8_t { nothing, failed, maybe, ok };

bool is_kept_in_ledger(Function function) {
    return function == Function::reserve || function == Function::confirm ||
           function == Function::release;
}

class Audit {
public:
    explicit Audit(const History& history) : history_(history), told_(history.texts.size()) {}

    CheckResult judge() {
        collect_books();
        for_each_operation(history_, [this](const Operation& operation) { hear(operation); });
        for (const LedgerEntry& entry : history_.ledger) find_ghost(entry);
        for (const auto& [key, book] : books_) balance(key, book);
        const std::uint64_t entries = history_.ledger.size();
        return findings_.result(entries, "the books balance, over " + std::to_string(entries) +
                                             " entries of the ledger");
    }

private:
    void collect_books() {
        for (const auto& [key, quantity] : history_.initial_stock) books_[key].initial = quantity;
        for (const FinalStock& stock : history_.final_stock) books_[stock.key].columns = &stock;
        for (const LedgerEntry& entry : history_.ledger) {
            Book& book = books_[entry.key];
            book.has_entries = true;
            if (book.first == nullptr || entry.number < book.first->number) book.first = &entry;
            const auto function = parse_function(entry.kind);
            if (!function) {
                book.stock_changes += entry.quantity;
                continue;
            }
            if (*function == Function::reserve) book.reserved += entry.quantity;
            if (*function == Function::confirm) book.confirmed += entry.quantity;
            if (*function == Function::release || *function == Function::expire) {
                book.given_back += entry.quantity;
            }
        }
    }

    static Function ledger_function(Function function) {
        return function == Function::basket ? Function::reserve : function;
    }

    void hear(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        const Function function = ledger_function(event.function);
        if (!is_kept_in_ledger(function) || event.subject == no_text) return;
        Told told = Told::failed;
        if (operation.outcome == Outcome::ok) told = Told::ok;
        if (operation.outcome == Outcome::unknown) told = Told::maybe;
        Told& known = told_[event.subject][static_cast<std::size_t>(function)];
        known = std::max(known, told);
    }

    // Every entry was asked for, by somebody who was not told that it failed.
    void find_ghost(const LedgerEntry& entry) {
        const auto function = parse_function(entry.kind);
        if (!function || !is_kept_in_ledger(*function)) return;
        const Told told = told_[entry.reservation][static_cast<std::size_t>(*function)];
        if (told >= Told::maybe) return;
        const std::string happened = "the ledger has a " + entry.kind + " of " +
                                     text(entry.reservation) + " on " + text(entry.key) +
                                     " (number " + std::to_string(entry.number) + ")";
        if (told == Told::nothing) {
            findings_.violation("ghost: " + happened + " that nobody asked for", {});
        } else {
            findings_.violation("ghost: " + happened + ", and the client was told that it failed",
                                failures_of(entry.reservation, *function));
        }
    }

    std::vector<std::uint32_t> failures_of(TextId reservation, Function function) const {
        std::vector<std::uint32_t> found;
        if (findings_.has_violation()) return found;  // only the first is told
        for_each_operation(history_, [&](const Operation& operation) {
            const Event& event = history_.events[operation.invoked];
            if (event.subject == reservation && ledger_function(event.function) == function) {
                found.push_back(operation.shown());
            }
        });
        return found;
    }

    void balance(TextId key, const Book& book) {
        if (book.columns == nullptr) {
            if (book.has_entries) {
                findings_.doubt("the audit has the ledger of " + text(key) +
                                " but not its final stock");
            }
            return;
        }
        const FinalStock& columns = *book.columns;
        expect(key, "on_hand + sold", columns.on_hand + columns.sold, expected_total(book),
               "initial stock + changes");
        expect(key, "held", columns.held, book.reserved - book.confirmed - book.given_back,
               "reserves - confirms - releases - expiries in the ledger");
        expect(key, "sold", columns.sold, book.confirmed, "confirms in the ledger");
        const bool possible =
            columns.held >= 0 && columns.sold >= 0 && columns.on_hand >= columns.held;
        if (!possible) {
            findings_.violation(text(key) + ": on_hand " + std::to_string(columns.on_hand) +
                                    ", held " + std::to_string(columns.held) + " and sold " +
                                    std::to_string(columns.sold) +
                                    " cannot be: available = on_hand - held is " +
                                    std::to_string(columns.on_hand - columns.held),
                                last_operations(key));
        }
    }

    // The ledger may begin with the initial stock itself.  An entry that could be either is taken
    // as the one that fits.
    static std::int64_t expected_total(const Book& book) {
        const std::int64_t total = book.columns->on_hand + book.columns->sold;
        const bool may_begin_with_stock = book.first != nullptr && book.first->kind == "stock" &&
                                          book.first->quantity == book.initial;
        if (may_begin_with_stock && total == book.stock_changes) return total;
        return book.initial + book.stock_changes;
    }

    void expect(TextId key, const std::string& column, std::int64_t value, std::int64_t expected,
                const std::string& source) {
        if (value == expected) return;
        findings_.violation(text(key) + ": " + column + " is " + std::to_string(value) + ", but " +
                                source + " is " + std::to_string(expected) + " (" +
                                (value > expected ? "+" : "") + std::to_string(value - expected) +
                                ")",
                            last_operations(key));
    }

    std::vector<std::uint32_t> last_operations(TextId key) const {
        std::vector<std::uint32_t> found;
        if (findings_.has_violation()) return found;  // only the first is told
        for_each_operation(history_, [&](const Operation& operation) {
            const Event& event = history_.events[operation.invoked];
            const bool counts = operation.outcome == Outcome::ok &&
                                is_kept_in_ledger(ledger_function(event.function));
            for_each_key(history_, event, [&](TextId touched) {
                if (counts && touched == key) found.push_back(operation.shown());
            });
        });
        if (found.size() > operations_shown)
            found.erase(found.begin(), found.end() - operations_shown);
        return found;
    }

    const std::string& text(TextId id) const { return history_.texts.text(id); }

    const History& history_;
    std::map<TextId, Book> books_;           // by SKU
    std::vector<std::array<Told, 3>> told_;  // by text: reserve, confirm, release
    Findings findings_;
};

}  // namespace

bool has_audit(const History& history) {
    return history.audited && (!history.ledger.empty() || !history.final_stock.empty());
}

CheckResult check_conservation(const History& history, const CheckOptions&) {
    return Audit(history).judge();
}

}  // namespace rushproof::simulator
