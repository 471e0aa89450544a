// Expiring what is due, and forgetting old idempotency keys.
#include <algorithm>
#include <tuple>
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory {

std::vector<Call> expire_calls(std::vector<Reservation> due, const Statement& expire) {
    std::sort(due.begin(), due.end(), [](const Reservation& a, const Reservation& b) {
        return std::tie(a.sku, a.id) < std::tie(b.sku, b.id);
    });
    std::vector<Call> calls;
    for (auto first = due.begin(); first != due.end();) {
        const auto last = std::find_if(first, due.end(), [&](const Reservation& reservation) {
            return reservation.sku != first->sku;
        });
        Quantity freed;
        for (auto each = first; each != last; ++each) { freed = freed + each->quantity; }
        calls.push_back(stock_call(statements::change_held, first->sku, Quantity() - freed));
        for (; first != last; ++first) {
            calls.push_back(reservation_call(expire, first->id));
            calls.push_back(ledger_call(LedgerKind::expire, *first));
        }
    }
    return calls;
}

Task<Result<std::size_t>> Application::expire_due(Context context) {
    const Statement* expire = &statements::expire_reservation;
    auto look = pipeline(limit_call(statements::lock_due, limits::expire_batch));
    if constexpr (mutants_compiled) {
        if (options_.mutant == Mutant::m25_expire_any_state) {
            expire = &mutants::expire_any_state;
            look[0].statement = &mutants::lock_due_any_state;
        }
        if (options_.mutant == Mutant::m26_expire_by_own_clock) {
            look[0].statement = &mutants::lock_due_by;
            look[0].arguments.emplace_back(environment_.clock.wall());
        }
    }
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(look)));
    std::vector<Reservation> due = due_in(answers[0]);
    const std::size_t count = due.size();
    if (count == 0) { co_return count; }
    auto calls = expire_calls(std::move(due), *expire);
    RP_CO_CHECK(co_await transaction->commit(std::move(calls)));
    co_return count;
}

Task<Result<std::size_t>> Application::forget_keys(Context context) {
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    const std::chrono::microseconds age = limits::idempotency_retention;
    auto forget = pipeline(limit_call(statements::forget_keys, age.count()));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(forget)));
    co_return static_cast<std::size_t>(answers[0].affected);
}

}  // namespace rushproof::inventory
