// The exact search per SKU (frontier.hpp); a history is linearizable if and only if each SKU's is.
// Baskets are judged SKU by SKU.
#include <algorithm>
#include <utility>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/frontier.hpp"
#include "simulator/checkers/promises.hpp"
#include "simulator/checkers/stock_history.hpp"

namespace rushproof::simulator {
namespace {

std::string numbers(const std::vector<std::int64_t>& values) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 4); ++i) {
        text += (i == 0 ? "" : " or ") + std::to_string(values[i]);
    }
    return values.size() > 4 ? text + " or more" : text;
}

std::string claim(const StockOperation& operation) {
    const std::string amount = std::to_string(operation.amount);
    switch (operation.effect) {
        case Effect::take: return "a reservation of " + amount + " was acknowledged";
        case Effect::give: return amount + " came back";
        case Effect::refused: return "a reservation of " + amount + " was refused";
        case Effect::read: return "a read answered " + amount;
        case Effect::nothing: break;
    }
    return {};
}

// Everything since the search was last certain, when that is little; else the operation, those
// under way with it and the last ones before it.
std::vector<std::uint32_t> witness_of(const StockHistory& sku, const FrontierResult& found) {
    const StockOperation& impossible = sku.operations[found.operation];
    std::vector<std::uint32_t> since;
    for (const StockOperation& operation : sku.operations) {
        if (operation.call > found.settled_time && operation.call <= impossible.deadline) {
            since.push_back(operation.shown);
        }
    }
    if (since.size() <= witness_max) return since;

    std::vector<std::uint32_t> witness{impossible.shown};
    for (const std::uint32_t pending : found.pending) {
        if (witness.size() < witness_max) witness.push_back(sku.operations[pending].shown);
    }
    const std::vector<std::uint32_t> ended = sku.by_deadline();
    auto last = std::find(ended.begin(), ended.end(), found.operation);
    while (last != ended.begin() && witness.size() < witness_max) {
        witness.push_back(sku.operations[*--last].shown);
    }
    return witness;
}

void report(const History& history, const StockHistory& sku, const FrontierResult& found,
            Findings& findings) {
    const StockOperation& impossible = sku.operations[found.operation];
    const std::string when =
        impossible.deadline == never ? "by the end" : "by t=" + format_time(impossible.deadline);
    const std::string others = found.pending.empty()
                                   ? ", and nothing else was under way"
                                   : ", and nothing that " +
                                         count_of(found.pending.size(), "other operation") +
                                         " under way could do explains it";
    findings.violation(when + " " + claim(impossible) + " for " + history.texts.text(sku.key) +
                           ", which fits no order of the operations: " + numbers(found.available) +
                           " available before" + others,
                       witness_of(sku, found));
}

// What keeps the search from an answer: operations whose outcome nothing tells.
void doubt(const History& history, const StockHistory& sku, const FrontierResult& found,
           Findings& findings) {
    std::vector<std::uint32_t> unresolved;
    std::vector<std::string> names;
    for (const StockOperation& operation : sku.operations) {
        if (operation.certain) continue;
        unresolved.push_back(operation.shown);
        const TextId subject = history.events[operation.shown].subject;
        names.push_back(subject == no_text ? "a restock" : history.texts.text(subject));
    }
    std::string sentence = history.texts.text(sku.key) + ": " + found.reason;
    if (!names.empty()) {
        sentence += "; of " + count_of(names.size(), "operation") +
                    " the outcome is not known: " + some_of(names);
    }
    findings.doubt(sentence, unresolved);
}

// Each SKU has an equal part of the budget; what is left of it goes to those that need more.
std::vector<FrontierResult> search_all(const std::vector<StockHistory>& skus,
                                       std::uint64_t steps_max) {
    std::vector<FrontierResult> all;
    all.reserve(skus.size());
    std::uint64_t left = steps_max;
    for (const StockHistory& sku : skus) {
        all.push_back(search_frontier(sku, {.steps_max = steps_max / skus.size()}));
        left -= std::min(left, all.back().steps);
    }
    for (std::size_t i = 0; i < skus.size(); ++i) {
        if (all[i].verdict != Verdict::unknown || left <= all[i].steps) continue;
        all[i] = search_frontier(skus[i], {.steps_max = left});
        left -= std::min(left, all[i].steps);
    }
    return all;
}

}  // namespace

bool has_stock_answers(const History& history) {
    return !history.initial_stock.empty() &&
           has_event(history, {Function::reserve, Function::basket, Function::read});
}

CheckResult check_linearizable(const History& history, const CheckOptions& options) {
    const StockHistories stock = collect_stock(history);
    struct Refuted {
        FrontierResult result;
        std::size_t sku;
        std::int64_t time;
    };
    std::vector<Refuted> failures;
    Findings findings;
    std::vector<FrontierResult> searched = search_all(stock.skus, options.steps_max);
    for (std::size_t i = 0; i < stock.skus.size(); ++i) {
        const StockHistory& sku = stock.skus[i];
        FrontierResult& found = searched[i];
        if (found.verdict == Verdict::unknown) doubt(history, sku, found, findings);
        if (found.verdict != Verdict::fail) continue;
        const std::int64_t time = sku.operations[found.operation].deadline;
        failures.push_back({std::move(found), i, time});
    }
    std::sort(failures.begin(), failures.end(), [](const Refuted& a, const Refuted& b) {
        return std::pair(a.time, a.sku) < std::pair(b.time, b.sku);
    });
    for (const Refuted& found : failures) {
        if (stock.orphans.empty()) {
            report(history, stock.skus[found.sku], found.result, findings);
        } else {
            doubt_orphans(history, stock, findings);
        }
    }
    doubt_uncounted(history, stock, findings);
    return findings.result(stock.operations, "an order explains " +
                                                 count_of(stock.operations, "operation") + " on " +
                                                 count_of(stock.skus.size(), "SKU"));
}

}  // namespace rushproof::simulator
