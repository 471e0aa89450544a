// Reserving: one transaction of two or three round trips that claims the idempotency key, holds
// stock as the strategy does, and writes reservation and ledger together with the commit.
#include <utility>

#include "core/runtime/uuid.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/app/order.hpp"
#include "services/inventory/app/plants_mutant.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory {

namespace {

constexpr std::string_view operation = "reserve";

// What the key was used for; a repeat must ask for the same.
std::string fingerprint(const ReserveRequest& request) {
    return request.sku.text() + " " + std::to_string(request.quantity.units());
}

Call find_key_call(const Statement& statement, const Order& order) {
    return {statement, {order.request.owner.text(), std::string(operation), order.claimed.text()}};
}

Call write_key_call(const Statement& statement, const Order& order) {
    return {statement,
            {order.request.owner.text(), std::string(operation), order.claimed.text(),
             fingerprint(order.request), order.id.text()}};
}

Call insert_call(const Order& order) {
    const ReserveRequest& request = order.request;
    return {statements::insert_reservation,
            {order.id.text(), request.sku.text(), request.quantity.units(), request.owner.text(),
             request.key.text(), std::int64_t{order.ttl.count()}}};
}

Call ledger_call_of(const Order& order) {
    Reservation reservation;
    reservation.id = order.id;
    reservation.sku = order.request.sku;
    reservation.quantity = order.request.quantity;
    reservation.key = order.request.key;
    return ledger_call(LedgerKind::reserve, reservation);
}

// Before a refusal: what is due of this SKU is expired in our own transaction, if that helps.
Task<Result<Hold>> hold_by_expiring(Transaction& transaction, const Order& order) {
    const ReserveRequest& request = order.request;
    auto look = pipeline(stock_call(statements::lock_stock, request.sku),
                         due_of_sku_call(request.sku, limits::expire_batch));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(look)));
    if (answers[0].rows.empty()) {
        co_return failure(ErrorKind::permanent, "not-found", "no such SKU");
    }
    std::vector<Reservation> due = due_in(answers[1]);
    Quantity available = stock_of(answers[0].rows[0]).available();
    for (const Reservation& reservation : due) { available = available + reservation.quantity; }
    if (available < request.quantity) { co_return Hold{Found::too_little, {}}; }
    auto rest = expire_calls(std::move(due), statements::expire_reservation);
    rest.push_back(stock_call(statements::change_held, request.sku, request.quantity));
    co_return Hold{Found::enough, std::move(rest)};
}

}  // namespace

Call claim_call(const Order& order) {
    if (mutated(order.mutant, Mutant::m07_key_in_own_transaction)) {
        return find_key_call(statements::find_key, order);
    }
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m08_key_without_constraint) {
            return find_key_call(mutants::find_loose_key, order);
        }
    }
    return write_key_call(statements::claim_key, order);
}

bool is_claimed(const Rows& answer, const Order& order) {
    if (mutated(order.mutant, Mutant::m07_key_in_own_transaction) ||
        mutated(order.mutant, Mutant::m08_key_without_constraint)) {
        return answer.rows.empty();
    }
    return answer.affected == 1;
}

Task<Result<Reservation>> Application::reserve(Context context, ReserveRequest request) {
    IdempotencyKey claimed = request.key;
    auto attempt = [&]() -> Task<Result<Reservation>> {
        auto result = co_await reserve_once(context, request, claimed);
        if (mutated(options_.mutant, Mutant::m06_retry_without_key) && !result &&
            result.error().kind() == ErrorKind::unknown_outcome) {
            claimed = IdempotencyKey(uuid_v4(environment_.random));
        }
        co_return result;
    };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Reservation>> Application::reserve_once(Context context, ReserveRequest request,
                                                    IdempotencyKey claimed) {
    const Order order = make_order(std::move(request), std::move(claimed));
    std::optional<Stock> seen;
    if (options_.strategy == Strategy::naive) {
        RP_CO_TRY(const Rows rows,
                  co_await read(context, stock_call(statements::read_stock, order.request.sku)));
        if (!rows.rows.empty()) { seen = stock_of(rows.rows[0]); }
    }
    RP_CO_TRY(auto transaction, co_await environment_.database.begin(context));
    RP_CO_TRY(Hold hold, co_await hold_stock(*transaction, order, options_.strategy, seen));
    if (hold.found == Found::too_little) {
        RP_CO_TRY(hold, co_await hold_by_expiring(*transaction, order));
    }
    if (hold.found == Found::too_little) {
        co_return failure(ErrorKind::permanent, "insufficient-stock", "not enough is available");
    }
    if (hold.found == Found::repeat) {
        transaction.reset();
        co_return co_await first_answer(std::move(context), order);
    }
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m08_key_without_constraint) {
            hold.rest.push_back(write_key_call(mutants::insert_loose_key, order));
        }
    }
    hold.rest.push_back(ledger_call_of(order));
    hold.rest.push_back(insert_call(order));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(hold.rest)));
    if (mutated(order.mutant, Mutant::m07_key_in_own_transaction)) {
        RP_CO_TRY(transaction, co_await environment_.database.begin(context));
        auto late = pipeline(write_key_call(statements::claim_key, order));
        RP_CO_CHECK(co_await transaction->commit(std::move(late)));
    }
    co_return reservation_of(answers.back().rows.at(0));
}

Order Application::make_order(ReserveRequest request, IdempotencyKey claimed) {
    Order order{std::move(request), std::move(claimed), ReservationId(uuid_v4(environment_.random)),
                std::chrono::duration_cast<std::chrono::microseconds>(options_.reservation_ttl),
                options_.mutant};
    if constexpr (mutants_compiled) { plants::disturb(order); }
    return order;
}

Task<Result<Reservation>> Application::first_answer(Context context, Order order) {
    Call find = find_key_call(statements::find_key, order);
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m08_key_without_constraint) { find = claim_call(order); }
    }
    RP_CO_TRY(const Rows found, co_await read(std::move(context), std::move(find)));
    if (found.rows.empty()) {
        co_return failure(ErrorKind::retryable, "key-in-flight", "the key's first use just ended");
    }
    if (text(found.rows[0], 0) != fingerprint(order.request)) {
        co_return failure(ErrorKind::permanent, "key-reused",
                          "the idempotency key was used for another request");
    }
    co_return reservation_of(found.rows[0], 1);
}

}  // namespace rushproof::inventory
