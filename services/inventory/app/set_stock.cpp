// Setting how much of a SKU is on hand: absolute, so that a repeat changes nothing.
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Task<Result<Stock>> Application::set_stock(Context context, Sku sku, Quantity on_hand) {
    auto attempt = [&] { return set_stock_once(context, sku, on_hand); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Stock>> Application::set_stock_once(Context context, Sku sku, Quantity on_hand) {
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    auto first = locks_of({sku.text()});
    append(first, pipeline(stock_call(statements::create_stock, sku),
                           stock_call(statements::lock_stock, sku)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(first)));
    Stock stock = stock_of(answers.back().rows.at(0));
    RP_CO_TRY(const Quantity change, change_to(stock, on_hand));
    const Quantity before = stock.available();
    std::vector<Call> last;
    if (change != Quantity()) {
        stock.on_hand = on_hand;
        ++stock.version;
        last = pipeline(stock_call(statements::set_on_hand, sku, on_hand));
        std::vector<StockChange> changes;
        changes.push_back({sku, change, before, stock.available()});
        append(last, record_stock_changes(changes));
    }
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    stock.position = position_of(*transaction);
    co_return stock;
}

}  // namespace rushproof::inventory
