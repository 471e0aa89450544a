// Restocking and shrinking: relative, so it takes an idempotency key.  The stock is locked first: a
// repeat finds what became of the first.
#include <charconv>
#include <map>
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/domain/checks.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/domain/fit.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_many.hpp"

namespace rushproof::inventory {

namespace {

constexpr std::string_view operation = "adjust";

// Kept as the key's result, so that a repeat gets the same answer.
std::string as_text(const std::vector<Stock>& stocks) {
    std::string text;
    for (const Stock& stock : stocks) {
        for (const std::int64_t number :
             {stock.on_hand.units(), stock.held.units(), stock.sold.units(), stock.version}) {
            text += std::to_string(number) + ' ';
        }
    }
    return text;
}

std::vector<Stock> read_text(std::string_view text) {
    std::vector<Stock> stocks;
    const char* const end = text.data() + text.size();
    for (const char* next = text.data(); next < end;) {
        std::int64_t numbers[4] = {};
        for (std::int64_t& number : numbers) { next = std::from_chars(next, end, number).ptr + 1; }
        stocks.push_back(
            {Quantity(numbers[0]), Quantity(numbers[1]), Quantity(numbers[2]), numbers[3], {}});
    }
    return stocks;
}

Call claim_call(const Adjustment& adjustment, const std::vector<Stock>& result) {
    return {statements::many::claim_keys,
            {std::vector{adjustment.owner.text()}, std::string(operation),
             std::vector{adjustment.key.text()}, std::vector{fingerprint_of(adjustment.changes)},
             std::vector{as_text(result)}}};
}

}  // namespace

Task<Result<std::vector<Stock>>> Application::adjust(Context context, Adjustment adjustment) {
    auto attempt = [&] { return adjust_once(context, adjustment); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<std::vector<Stock>>> Application::adjust_once(Context context, Adjustment adjustment) {
    std::vector<std::string> skus;
    skus.reserve(adjustment.changes.size());
    for (const Line& change : adjustment.changes) { skus.push_back(change.sku.text()); }
    std::vector<Call> look;
    if (adjustment.alone) {
        look.push_back(number_call(statements::limit_lock_wait, limits::table_lock_wait.count()));
    }
    append(look, locks_of(skus));
    if (adjustment.alone) { look.push_back(lock_table_call()); }
    look.push_back(lock_stocks_call(std::move(skus)));
    look.emplace_back(statements::find_result,
                      Row{adjustment.owner.text(), std::string(operation), adjustment.key.text()});
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    if (!found.back().rows.empty()) {
        const Row& known = found.back().rows[0];
        if (text(known, 0) != fingerprint_of(adjustment.changes)) {
            co_return failure(key_reused());
        }
        std::vector<Stock> first = read_text(text(known, 1));
        RP_CO_TRY(const std::string position, co_await position_after(*transaction));
        for (Stock& stock : first) { stock.position = position; }
        co_return first;
    }
    std::map<Sku, Stock> known;
    for (const Row& row : found[found.size() - 2].rows) {
        known.emplace(Sku(text(row, 0)), stock_of(row, 1));
    }
    std::vector<Stock> stocks;
    std::vector<StockChange> changes;
    std::vector<Call> last;
    for (const auto& [sku, change] : adjustment.changes) {
        const auto place = known.find(sku);
        if (place == known.end()) { co_return failure(no_such_sku(sku)); }
        Stock& stock = place->second;
        const Quantity before = stock.available();
        RP_CO_TRY(stock.on_hand, at(sku.text() + ": ", adjusted(stock, change)));
        ++stock.version;
        last.push_back(stock_call(statements::set_on_hand, sku, stock.on_hand));
        changes.push_back({sku, change, before, stock.available()});
        stocks.push_back(stock);
    }
    append(last, record_stock_changes(changes));
    last.push_back(claim_call(adjustment, stocks));
    auto written = co_await transaction->commit(std::move(last));
    if (!written && written.error().code() == "unique-violation") {
        co_return failure(ErrorKind::retryable, "key-in-flight", "the key is being used");
    }
    RP_CO_CHECK(std::move(written));
    for (Stock& stock : stocks) { stock.position = position_of(*transaction); }
    co_return stocks;
}

std::vector<Call> Application::locks_of(const std::vector<std::string>& skus) const {
    if (options_.strategy != Strategy::advisory_lock) { return {}; }
    return lock_key_calls(skus);
}

std::vector<Call> Application::record_stock_changes(const std::vector<StockChange>& changes) {
    std::vector<LedgerEntry> entries;
    std::vector<LowStock> low;
    for (const auto& [sku, change, before, after] : changes) {
        entries.push_back(entry_of(sku, change));
        if (becomes_low(before, after, options_.low_stock)) { low.push_back({sku, after}); }
    }
    return record_calls(environment_.random, entries, low);
}

}  // namespace rushproof::inventory
