#include "simulator/checkers/stock_history.hpp"

#include <algorithm>

#include "simulator/checkers/findings.hpp"

namespace rushproof::simulator {
namespace {

// In place of a SKU: it has no initial stock, and was noted.
constexpr std::uint32_t uncounted = no_index - 1;

// One SKU of one reservation.
struct Line {
    std::uint32_t sku = uncounted;
    std::uint32_t take = 0;
    std::uint32_t give = no_index;
    std::uint32_t next = no_index;  // line of the same basket
    bool sold = false;              // it was confirmed
    bool released = false;          // acknowledged, or in the ledger
};

class Collector {
public:
    explicit Collector(const History& history)
        : history_(history),
          sku_of_(history.texts.size(), no_index),
          line_of_(history.texts.size(), no_index) {}

    StockHistories collect() {
        for (const auto& [key, quantity] : history_.initial_stock) {
            sku_of_[key] = static_cast<std::uint32_t>(result_.skus.size());
            StockHistory& sku = result_.skus.emplace_back();
            sku.key = key;
            sku.initial = quantity;
        }
        make_room();
        for_each_operation(history_, [this](const Operation& operation) { add(operation); });
        for (const Operation& operation : later_) {
            if (operation.outcome == Outcome::ok) add_end(operation);
        }
        for (const LedgerEntry& entry : history_.ledger) add_evidence(entry);
        for (const Operation& operation : later_) {
            if (operation.outcome == Outcome::unknown) add_unknown_end(operation);
        }
        for (const LedgerEntry& entry : history_.ledger) add_evidence_of_release(entry);
        if (may_expire_unseen()) add_unseen_expiries();
        for (const Line& line : lines_) {
            if (line.sku != uncounted) settle(line);
        }
        for (StockHistory& sku : result_.skus) {
            drop_nothings(sku);
            result_.operations += sku.operations.size();
        }
        return std::move(result_);
    }

private:
    // Growing by doubling would need three times the memory.
    void make_room() {
        std::vector<std::size_t> counts(result_.skus.size());
        std::size_t reservations = 0;
        for (const Event& event : history_.events) {
            if (event.type != EventType::invoke || event.key == no_text) continue;
            if (sku_of_[event.key] == no_index) continue;
            const bool may_be_given_back = event.function == Function::reserve;
            counts[sku_of_[event.key]] += may_be_given_back ? 2 : 1;
            if (may_be_given_back) ++reservations;
        }
        lines_.reserve(reservations);
        for (std::size_t i = 0; i < counts.size(); ++i) {
            result_.skus[i].operations.reserve(counts[i]);
        }
    }

    std::uint32_t find_sku(TextId key) {
        if (key == no_text) return uncounted;
        if (sku_of_[key] == no_index) {
            sku_of_[key] = uncounted;
            result_.uncounted.push_back(key);
        }
        return sku_of_[key];
    }

    StockOperation& take_of(const Line& line) {
        return result_.skus[line.sku].operations[line.take];
    }
    StockOperation& give_of(const Line& line) {
        return result_.skus[line.sku].operations[line.give];
    }

    std::uint32_t append(std::uint32_t sku, const Operation& operation, Effect effect,
                         std::int64_t amount) {
        std::vector<StockOperation>& operations = result_.skus[sku].operations;
        operations.push_back({.call = operation.call,
                              .deadline = operation.returned,
                              .amount = amount,
                              .shown = operation.shown(),
                              .effect = effect,
                              .certain = operation.outcome != Outcome::unknown,
                              .acknowledged = operation.outcome == Outcome::ok});
        return static_cast<std::uint32_t>(operations.size() - 1);
    }

    // The same effect again, from another attempt: it happened in one of them.
    static void widen(StockOperation& known, const Operation& attempt) {
        known.call = std::min(known.call, attempt.call);
        if (attempt.outcome != Outcome::ok) return;
        if (!known.acknowledged) known.shown = attempt.shown();
        known.acknowledged = true;
        prove(known, attempt.returned);
    }

    // It had happened by `time`.
    static void prove(StockOperation& known, std::int64_t time) {
        known.certain = true;
        known.deadline = std::min(known.deadline, time);
    }

    void add(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        const bool happened =
            operation.outcome == Outcome::ok || operation.outcome == Outcome::unknown;
        switch (event.function) {
            case Function::reserve:
            case Function::basket:
                if (happened) add_take(operation, event);
                if (operation.outcome == Outcome::refused) add_refusal(operation, event);
                break;
            case Function::read:
                if (operation.outcome == Outcome::ok) add_read(operation, event);
                break;
            case Function::restock:
                if (happened) add_restock(operation, event);
                break;
            case Function::confirm:
            case Function::release:
            case Function::expire: {
                // What ends a reservation may be acknowledged before its reserve is.
                const bool at_once =
                    operation.outcome == Outcome::ok && line_of_[event.subject] != no_index;
                if (at_once) {
                    add_end(operation);
                } else if (happened) {
                    later_.push_back(operation);
                }
                break;
            }
            case Function::enqueue:
            case Function::process:
            case Function::extend:
            case Function::find: break;
        }
    }

    void add_read(const Operation& operation, const Event& event) {
        const std::uint32_t sku = find_sku(event.key);
        if (sku == uncounted) return;
        append(sku, operation, Effect::read, history_.events[operation.completed].amount);
    }

    void add_restock(const Operation& operation, const Event& event) {
        const std::uint32_t sku = find_sku(event.key);
        if (sku == uncounted) return;
        append(sku, operation, Effect::give, event.amount);
    }

    // A refused basket tells only about the SKU that its completion names.
    void add_refusal(const Operation& operation, const Event& event) {
        const TextId key = history_.events[operation.completed].key;
        std::int64_t amount = event.amount;
        if (event.basket != 0) {
            const std::vector<BasketLine>& lines = history_.baskets[event.basket - 1];
            const auto named =
                std::find_if(lines.begin(), lines.end(),
                             [&](const BasketLine& line) { return line.key == key; });
            if (named == lines.end()) return;
            amount = named->quantity;
        }
        const std::uint32_t sku = find_sku(key);
        if (sku != uncounted) append(sku, operation, Effect::refused, amount);
    }

    void add_take(const Operation& operation, const Event& event) {
        if (line_of_[event.subject] != no_index) {
            each_line(event.subject, [&](Line& line) { widen(take_of(line), operation); });
            return;
        }
        if (event.basket == 0) {
            add_line(operation, event.subject, event.key, event.amount);
            return;
        }
        for (const BasketLine& line : history_.baskets[event.basket - 1]) {
            add_line(operation, event.subject, line.key, line.quantity);
        }
    }

    void add_line(const Operation& operation, TextId reservation, TextId key,
                  std::int64_t quantity) {
        Line line{.sku = find_sku(key), .next = line_of_[reservation]};
        if (line.sku != uncounted) {
            line.take = append(line.sku, operation, Effect::take, quantity);
        }
        lines_.push_back(line);
        line_of_[reservation] = static_cast<std::uint32_t>(lines_.size() - 1);
    }

    template <class Visit>
    void each_line(TextId reservation, Visit visit) {
        for (std::uint32_t i = line_of_[reservation]; i != no_index; i = lines_[i].next) {
            if (lines_[i].sku != uncounted) visit(lines_[i]);
        }
    }

    void add_end(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        if (line_of_[event.subject] == no_index) result_.orphans.push_back(operation.shown());
        each_line(event.subject, [&](Line& line) {
            if (event.function == Function::confirm) {
                line.sold = true;
                prove(take_of(line), operation.returned);
            } else {
                line.released = line.released || event.function == Function::release;
                add_give(line, operation);
            }
        });
    }

    // It may have been this attempt when the release happened; or when nothing else is known to
    // have ended the reservation, and no audit says that it was not released.
    void add_unknown_end(const Operation& operation) {
        const Event& event = history_.events[operation.invoked];
        if (event.function == Function::confirm) return;
        each_line(event.subject, [&](Line& line) {
            const bool released = event.function == Function::release && line.released;
            const bool ended = line.give != no_index && give_of(line).certain;
            if (released || (!ended && !history_.audited)) add_give(line, operation);
        });
    }

    void add_give(Line& line, const Operation& operation) {
        if (line.give == no_index) {
            line.give = append(line.sku, operation, Effect::give, take_of(line).amount);
        } else {
            widen(give_of(line), operation);
        }
    }

    template <class Visit>
    void each_line(const LedgerEntry& entry, Visit visit) {
        if (entry.reservation == no_text) return;
        each_line(entry.reservation, [&](Line& line) {
            if (result_.skus[line.sku].key == entry.key) visit(line);
        });
    }

    std::int64_t latest(const LedgerEntry& entry) const {
        return entry.committed_before + history_.clock_bound;
    }

    // Only what no client was told is taken from the ledger: its clock is another.
    void prove_by(const LedgerEntry& entry, StockOperation& operation) const {
        if (operation.acknowledged) return;
        operation.certain = true;
        // A time before the call shows a wrong clock, and bounds nothing.
        if (latest(entry) >= operation.call) prove(operation, latest(entry));
    }

    void add_evidence(const LedgerEntry& entry) {
        const auto function = parse_function(entry.kind);
        each_line(entry, [&](Line& line) {
            if (function == Function::reserve) prove_by(entry, take_of(line));
            if (function == Function::confirm) {
                line.sold = true;
                prove_by(entry, take_of(line));
            }
            if (function == Function::release) line.released = true;
            if (function == Function::expire) add_expiry(line, entry);
        });
    }

    void add_evidence_of_release(const LedgerEntry& entry) {
        if (parse_function(entry.kind) != Function::release) return;
        each_line(entry, [&](Line& line) {
            if (line.give != no_index) prove_by(entry, give_of(line));
        });
    }

    void add_expiry(Line& line, const LedgerEntry& entry) {
        Operation expiry;
        expiry.invoked = take_of(line).shown;
        expiry.outcome = Outcome::ok;
        expiry.call = entry.at - history_.clock_bound;
        expiry.returned = latest(entry);
        // An `expire` operation tells the same.
        if (line.give == no_index || !give_of(line).certain) add_give(line, expiry);
    }

    // Reservations end by themselves, and nobody wrote down when.
    bool may_expire_unseen() const {
        return !history_.audited && history_.reservation_ttl > 0 && !history_.events.empty() &&
               std::none_of(history_.events.begin(), history_.events.end(),
                            [](const Event& event) { return event.function == Function::expire; });
    }

    void add_unseen_expiries() {
        const std::int64_t end = history_.events.back().time;
        for (Line& line : lines_) {
            if (line.sku == uncounted) continue;
            Operation expiry;
            expiry.invoked = take_of(line).shown;
            expiry.call = take_of(line).call + history_.reservation_ttl - history_.clock_bound;
            if (expiry.call <= end) add_give(line, expiry);
        }
    }

    // The last word on one line, when all evidence is in.  The audit saw everything: what left no
    // trace there did not happen.
    void settle(const Line& line) {
        StockOperation& take = take_of(line);
        if (line.give == no_index) {
            if (!take.certain && history_.audited) take.effect = Effect::nothing;
            return;
        }
        StockOperation& give = give_of(line);
        if (give.certain) prove(take, give.deadline);
        give.call = std::max(give.call, take.call);
        if (!take.certain && history_.audited) take.effect = Effect::nothing;
        if (line.sold || (!give.certain && history_.audited)) {
            give.effect = Effect::nothing;
        } else if (!take.certain || give.call <= take.deadline) {
            take.paired = true;
            give.paired = true;
            result_.skus[line.sku].pairs.push_back({line.take, line.give});
        }
    }

    static void drop_nothings(StockHistory& sku) {
        std::vector<std::uint32_t> moved(sku.pairs.empty() ? 0 : sku.operations.size());
        std::uint32_t kept = 0;
        for (std::uint32_t i = 0; i < sku.operations.size(); ++i) {
            if (!moved.empty()) moved[i] = kept;
            if (sku.operations[i].effect == Effect::nothing) continue;
            sku.operations[kept++] = sku.operations[i];
        }
        sku.operations.resize(kept);
        for (StockPair& pair : sku.pairs) pair = {moved[pair.take], moved[pair.give]};
    }

    const History& history_;
    StockHistories result_;
    std::vector<std::uint32_t> sku_of_;   // by text
    std::vector<std::uint32_t> line_of_;  // by text: the first line of that reservation
    std::vector<Line> lines_;
    std::vector<Operation> later_;  // ends whose reservation or outcome was not known yet
};

// By insertion: most operations stand nearly in order, displaced by as many as were under way at
// once.  The stragglers, about which evidence came late, are sorted apart.
std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> indexes, auto before) {
    constexpr std::ptrdiff_t near = 256;
    const auto begin = indexes.begin();
    auto end = begin;  // of those in order
    std::vector<std::uint32_t> stragglers;
    for (const std::uint32_t index : indexes) {
        const auto first = end - std::min(near, end - begin);
        auto place = end;
        while (place != first && before(index, place[-1])) --place;
        if (place == first && first != begin && before(index, first[-1])) {
            stragglers.push_back(index);
            continue;
        }
        std::move_backward(place, end, end + 1);
        *place = index;
        ++end;
    }
    std::sort(stragglers.begin(), stragglers.end(), before);
    std::copy(stragglers.begin(), stragglers.end(), end);
    std::inplace_merge(begin, end, indexes.end(), before);
    return indexes;
}

}  // namespace

std::vector<std::uint32_t> StockHistory::by_call() const {
    std::vector<std::uint32_t> indexes(operations.size());
    for (std::uint32_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
    return sorted(std::move(indexes), [this](std::uint32_t a, std::uint32_t b) {
        const StockOperation& first = operations[a];
        const StockOperation& second = operations[b];
        if (first.call != second.call) return first.call < second.call;
        if (first.effect != second.effect) return first.effect < second.effect;
        return a < b;
    });
}

std::vector<std::uint32_t> StockHistory::by_deadline() const {
    std::vector<std::uint32_t> indexes;
    indexes.reserve(operations.size());
    for (std::uint32_t i = 0; i < operations.size(); ++i) {
        if (operations[i].certain) indexes.push_back(i);
    }
    return sorted(std::move(indexes), [this](std::uint32_t a, std::uint32_t b) {
        const StockOperation& first = operations[a];
        const StockOperation& second = operations[b];
        return first.deadline != second.deadline ? first.deadline < second.deadline : a < b;
    });
}

StockHistories collect_stock(const History& history) { return Collector(history).collect(); }

void doubt_uncounted(const History& history, const StockHistories& stock, Findings& findings) {
    if (stock.uncounted.empty()) return;
    std::vector<std::string> names;
    names.reserve(stock.uncounted.size());
    for (const TextId key : stock.uncounted) names.push_back(history.texts.text(key));
    findings.doubt("the header gives no stock for " + some_of(names) +
                   ": say there how many there were");
}

void doubt_orphans(const History& history, const StockHistories& stock, Findings& findings) {
    if (stock.orphans.empty()) return;
    std::vector<std::string> names;
    names.reserve(stock.orphans.size());
    for (const std::uint32_t event : stock.orphans) {
        names.push_back(history.texts.text(history.events[event].subject));
    }
    findings.doubt("the answers contradict each other, but nobody reserved " + some_of(names) +
                       ", so it is not known what their end gave back",
                   stock.orphans);
}

}  // namespace rushproof::simulator
