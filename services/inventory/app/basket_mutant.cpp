#include "services/inventory/app/basket_mutant.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Task<Result<Hold>> hold_half(Database& database, Context context,
                             std::unique_ptr<Transaction>& transaction, const Order& order) {
    std::vector<Line> lines = order.request.lines;
    if (hash64(order.id.text()) % 2 == 1) { std::reverse(lines.begin(), lines.end()); }
    Hold hold;
    bool claimed = false;
    for (std::size_t i = 0; i < lines.size();) {
        std::vector<Call> calls;
        if (!claimed) { calls.push_back(claim_call(order)); }
        calls.push_back(stock_call(statements::take_stock, lines[i].sku, lines[i].quantity));
        auto answers = co_await transaction->execute(std::move(calls));
        if (!answers && answers.error().code() == "deadlock") {
            RP_CO_TRY(transaction, co_await database.begin(context));
            claimed = false;
            continue;
        }
        RP_CO_TRY(const auto taken, std::move(answers));
        if (!claimed && !is_claimed(taken[0], order)) {
            hold.repeat = true;
            co_return hold;
        }
        claimed = true;
        if (taken.back().rows.empty()) { co_return failure(too_little_of(lines[i].sku)); }
        ++i;
    }
    co_return hold;
}

}  // namespace rushproof::inventory
