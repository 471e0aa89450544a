// How each strategy holds stock, after claiming the idempotency key in the same round trip.
#include <utility>

#include "core/base/assert.hpp"
#include "services/inventory/app/order.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

namespace {

std::optional<Stock> stock_in(const Rows& answer) {
    if (answer.rows.empty()) { return std::nullopt; }
    return stock_of(answer.rows[0]);
}

bool is_enough(const std::optional<Stock>& stock, const Order& order) {
    return stock && stock->available() >= order.request.quantity;
}

// SELECT ... FOR UPDATE: whoever comes later waits for our commit before it reads.
Task<Result<Hold>> hold_pessimistic(Transaction& transaction, const Order& order) {
    const ReserveRequest& request = order.request;
    auto calls = pipeline(claim_call(order), stock_call(statements::lock_stock, request.sku));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    if (!is_claimed(answers[0], order)) { co_return Hold{Found::repeat, {}}; }
    if (!is_enough(stock_in(answers[1]), order)) { co_return Hold{Found::too_little, {}}; }
    auto rest = pipeline(stock_call(statements::change_held, request.sku, request.quantity));
    co_return Hold{Found::enough, std::move(rest)};
}

// One UPDATE that takes only what is there: the database checks and writes under its own row lock.
Task<Result<Hold>> hold_conditional(Transaction& transaction, const Order& order) {
    const ReserveRequest& request = order.request;
    auto calls = pipeline(claim_call(order),
                          stock_call(statements::take_stock, request.sku, request.quantity));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    if (!is_claimed(answers[0], order)) { co_return Hold{Found::repeat, {}}; }
    co_return Hold{answers[1].affected == 1 ? Found::enough : Found::too_little, {}};
}

// Reads without a lock, and writes only if the version is still the one that was read.
Task<Result<Hold>> hold_optimistic(Transaction& transaction, const Order& order) {
    const ReserveRequest& request = order.request;
    auto calls = pipeline(claim_call(order), stock_call(statements::read_stock, request.sku));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    if (!is_claimed(answers[0], order)) { co_return Hold{Found::repeat, {}}; }
    const auto stock = stock_in(answers[1]);
    if (!is_enough(stock, order)) { co_return Hold{Found::too_little, {}}; }
    auto write = pipeline(change_held_at_call(request.sku, request.quantity, stock->version));
    RP_CO_TRY(const auto written, co_await transaction.execute(std::move(write)));
    if (written[0].affected == 1) { co_return Hold{Found::enough, {}}; }
    co_return failure(ErrorKind::retryable, "version-conflict", "the stock changed meanwhile");
}

// The negative control: writes what it computed from an old reading.
Task<Result<Hold>> hold_naive(Transaction& transaction, const Order& order,
                              std::optional<Stock> seen) {
    const ReserveRequest& request = order.request;
    const bool enough = is_enough(seen, order);
    auto calls = pipeline(claim_call(order));
    if (enough) {
        calls.push_back(
            stock_call(statements::write_held, request.sku, seen->held + request.quantity));
    }
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    if (!is_claimed(answers[0], order)) { co_return Hold{Found::repeat, {}}; }
    co_return Hold{enough ? Found::enough : Found::too_little, {}};
}

Task<Result<Hold>> hold_m01(Transaction& transaction, const Order& order) {
    const ReserveRequest& request = order.request;
    auto calls = pipeline(claim_call(order), stock_call(statements::read_stock, request.sku));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    if (!is_claimed(answers[0], order)) { co_return Hold{Found::repeat, {}}; }
    const auto stock = stock_in(answers[1]);
    if (!is_enough(stock, order)) { co_return Hold{Found::too_little, {}}; }
    auto rest =
        pipeline(stock_call(statements::write_held, request.sku, stock->held + request.quantity));
    co_return Hold{Found::enough, std::move(rest)};
}

}  // namespace

Task<Result<Hold>> hold_stock(Transaction& transaction, const Order& order, Strategy strategy,
                              std::optional<Stock> seen) {
    if (mutated(order.mutant, Mutant::m01_read_modify_write)) {
        return hold_m01(transaction, order);
    }
    switch (strategy) {
        case Strategy::naive: return hold_naive(transaction, order, seen);
        case Strategy::pessimistic: return hold_pessimistic(transaction, order);
        case Strategy::conditional: return hold_conditional(transaction, order);
        case Strategy::optimistic: return hold_optimistic(transaction, order);
    }
    RP_ASSERT(false);
}

}  // namespace rushproof::inventory
