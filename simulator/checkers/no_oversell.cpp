// Gives count from their call and takes from their deadline: the kindest reading of the history.
// If even then more is promised than there is, it was oversold.  Without refusals and reads in the
// history this is exact; it takes one pass.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"
#include "simulator/checkers/stock_history.hpp"

namespace rushproof::simulator {
namespace {

constexpr std::size_t holds_shown = 8;

struct Oversell {
    std::int64_t time = never;
    std::int64_t stock = 0;  // all that there was until then
    std::int64_t promised = 0;
    std::uint32_t operation = no_index;  // the take that was one too many
    std::uint64_t takes = 0;             // that were too many
};

bool is_restock(const History& history, const StockOperation& give) {
    return history.events[give.shown].function == Function::restock;
}

Oversell find_oversell(const History& history, const StockHistory& sku) {
    const std::vector<std::uint32_t> calls = sku.by_call();
    auto next_call = calls.begin();
    std::int64_t stock = sku.initial;
    std::int64_t promised = 0;
    Oversell oversell;
    for (const std::uint32_t index : sku.by_deadline()) {
        const StockOperation& take = sku.operations[index];
        for (; next_call != calls.end(); ++next_call) {
            const StockOperation& give = sku.operations[*next_call];
            if (give.call > take.deadline) break;
            if (give.effect != Effect::give || give.paired) continue;
            const bool restock = is_restock(history, give);
            (restock ? stock : promised) += restock ? give.amount : -give.amount;
        }
        if (take.effect != Effect::take || take.paired) continue;
        promised += take.amount;
        if (promised <= stock) continue;
        if (oversell.takes++ == 0) {
            oversell.time = take.deadline;
            oversell.stock = stock;
            oversell.promised = promised;
            oversell.operation = index;
        }
    }
    return oversell;
}

// The takes that were not given back by then, latest last.
std::vector<std::uint32_t> open_takes(const History& history, const StockHistory& sku,
                                      const Oversell& oversell) {
    std::unordered_set<TextId> given_back;
    for (const StockOperation& give : sku.operations) {
        const bool counts =
            give.effect == Effect::give && !is_restock(history, give) && give.call <= oversell.time;
        if (counts) given_back.insert(history.events[give.shown].subject);
    }
    std::vector<std::uint32_t> open;
    for (const std::uint32_t index : sku.by_deadline()) {
        const StockOperation& take = sku.operations[index];
        const bool counts = take.effect == Effect::take && !take.paired &&
                            !given_back.contains(history.events[take.shown].subject);
        if (counts) open.push_back(take.shown);
        if (index == oversell.operation) break;
    }
    return open;
}

void report(const History& history, const StockHistory& sku, const Oversell& oversell,
            Findings& findings) {
    std::vector<std::uint32_t> open = open_takes(history, sku, oversell);
    std::vector<std::string> names;
    for (auto shown = open.rbegin(); shown != open.rend(); ++shown) {
        names.push_back(history.texts.text(history.events[*shown].subject));
    }
    const std::string when =
        oversell.time == never ? "at the end" : "at t=" + format_time(oversell.time);
    const std::string sentence = when + " " + std::to_string(oversell.promised) + " units of " +
                                 history.texts.text(sku.key) +
                                 " were acknowledged as held or sold in " +
                                 count_of(open.size(), "reservation") + ", and there were only " +
                                 std::to_string(oversell.stock) + ": " + some_of(names);
    if (open.size() > holds_shown) open.erase(open.begin(), open.end() - holds_shown);
    findings.violation(sentence, open);
    for (std::uint64_t i = 1; i < oversell.takes; ++i) findings.violation({}, {});
}

}  // namespace

bool has_reservations(const History& history) {
    return !history.initial_stock.empty() &&
           has_event(history, {Function::reserve, Function::basket});
}

CheckResult check_no_oversell(const History& history, const CheckOptions&) {
    const StockHistories stock = collect_stock(history);
    struct Oversold {
        Oversell oversell;
        std::size_t sku;
    };
    std::vector<Oversold> found;
    for (std::size_t sku = 0; sku < stock.skus.size(); ++sku) {
        const Oversell oversell = find_oversell(history, stock.skus[sku]);
        if (oversell.takes > 0) found.push_back({oversell, sku});
    }
    std::sort(found.begin(), found.end(), [](const Oversold& a, const Oversold& b) {
        return std::pair(a.oversell.time, a.sku) < std::pair(b.oversell.time, b.sku);
    });
    Findings findings;
    for (const auto& [oversell, sku] : found) {
        if (stock.orphans.empty()) {
            report(history, stock.skus[sku], oversell, findings);
        } else {
            doubt_orphans(history, stock, findings);
        }
    }
    doubt_uncounted(history, stock, findings);
    return findings.result(stock.operations, "what was held and sold never exceeded the stock of " +
                                                 count_of(stock.skus.size(), "SKU"));
}

}  // namespace rushproof::simulator
