// Restocking and shrinking: relative, so it takes an idempotency key.  The stock's row is locked
// first: a repeat finds what became of the first.
#include <charconv>
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

std::string fingerprint(const Adjustment& adjustment) {
    return adjustment.sku.text() + ' ' + std::to_string(adjustment.change.units());
}

// Kept as the key's result, so that a repeat gets the same answer.
std::string as_text(const Stock& stock) {
    std::string text;
    for (const std::int64_t number :
         {stock.on_hand.units(), stock.held.units(), stock.sold.units(), stock.version}) {
        text += std::to_string(number) + ' ';
    }
    return text;
}

Stock read_text(std::string_view text) {
    std::int64_t numbers[4] = {};
    const char* next = text.data();
    for (std::int64_t& number : numbers) {
        next = std::from_chars(next, text.data() + text.size(), number).ptr + 1;
    }
    return {Quantity(numbers[0]), Quantity(numbers[1]), Quantity(numbers[2]), numbers[3]};
}

Call claim_call(const Adjustment& adjustment, const Stock& result) {
    return {statements::many::claim_keys,
            {std::vector{adjustment.owner.text()}, std::string(operation),
             std::vector{adjustment.key.text()}, std::vector{fingerprint(adjustment)},
             std::vector{as_text(result)}}};
}

}  // namespace

Task<Result<Stock>> Application::adjust(Context context, Adjustment adjustment) {
    auto attempt = [&] { return adjust_once(context, adjustment); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Stock>> Application::adjust_once(Context context, Adjustment adjustment) {
    auto look =
        pipeline(stock_call(statements::lock_stock, adjustment.sku),
                 Call(statements::find_result,
                      {adjustment.owner.text(), std::string(operation), adjustment.key.text()}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    if (!found[1].rows.empty()) {
        const Row& known = found[1].rows[0];
        if (text(known, 0) == fingerprint(adjustment)) { co_return read_text(text(known, 1)); }
        co_return failure(key_reused());
    }
    if (found[0].rows.empty()) { co_return failure(no_such_sku(adjustment.sku)); }
    Stock stock = stock_of(found[0].rows[0]);
    const Quantity before = stock.available();
    RP_CO_TRY(const Quantity wanted, adjusted(stock, adjustment.change));
    stock.on_hand = wanted;
    ++stock.version;
    auto last = pipeline(stock_call(statements::set_on_hand, adjustment.sku, wanted),
                         claim_call(adjustment, stock));
    append(last, record_stock_change(adjustment.sku, adjustment.change, before, stock));
    const auto written = co_await transaction->commit(std::move(last));
    if (!written && written.error().code() == "unique-violation") {
        co_return failure(ErrorKind::retryable, "key-in-flight", "the key is being used");
    }
    RP_CO_CHECK(written);
    co_return stock;
}

std::vector<Call> Application::record_stock_change(const Sku& sku, Quantity change, Quantity before,
                                                   const Stock& after) {
    std::vector<LowStock> low;
    if (becomes_low(before, after.available(), options_.low_stock)) {
        low.push_back({sku, after.available()});
    }
    std::vector<LedgerEntry> entries;
    entries.push_back(entry_of(sku, change));
    return record_calls(environment_.random, entries, low);
}

}  // namespace rushproof::inventory
