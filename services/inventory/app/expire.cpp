// Expiring what is due, and forgetting old idempotency keys.
#include <algorithm>
#include <map>
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_many.hpp"
#include "services/inventory/store/statements_mutant.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

namespace {

// A basket of which others hold a line, or which does not fit into our batch, is left for later.
std::vector<Due> whole_ones(std::vector<Due> due) {
    std::vector<Due> whole;
    for (auto first = due.begin(); first != due.end();) {
        const auto last =
            std::find_if(first, due.end(), [&](const Due& each) { return each.id != first->id; });
        if (last - first == first->lines) { std::move(first, last, std::back_inserter(whole)); }
        first = last;
    }
    return whole;
}

std::vector<std::string> skus_of(const std::vector<Due>& due) {
    std::vector<std::string> skus;
    for (const Due& each : due) { skus.push_back(each.line.sku.text()); }
    std::sort(skus.begin(), skus.end());
    skus.erase(std::unique(skus.begin(), skus.end()), skus.end());
    return skus;
}

}  // namespace

Expiry expire(std::vector<Due> due, const Statement& statement) {
    if (due.empty()) { return {}; }
    std::map<Sku, Quantity> freed;
    std::vector<std::string> ids;
    Expiry expiry;
    for (Due& each : due) {
        Quantity& units = freed[each.line.sku];
        units = units - each.line.quantity;
        if (ids.empty() || ids.back() != each.id.text()) { ids.push_back(each.id.text()); }
        LedgerEntry& entry = expiry.entries.emplace_back();
        entry.sku = std::move(each.line.sku);
        entry.reservation = std::move(each.id);
        entry.key = std::move(each.key);
        entry.kind = to_string(LedgerKind::expire);
        entry.quantity = each.line.quantity;
    }
    expiry.calls = pipeline(change_held_call(freed), Call(statement, {std::move(ids)}));
    return expiry;
}

Task<Result<std::size_t>> Application::expire_due(Context context) {
    const Statement* statement = &statements::many::expire_reservation;
    auto look = pipeline(number_call(statements::lock_due, limits::expire_batch));
    if constexpr (mutants_compiled) {
        if (options_.mutant == Mutant::m25_expire_any_state) {
            statement = &mutants::expire_any_state;
            look[0].statement = &mutants::lock_due_any_state;
        }
        if (options_.mutant == Mutant::m27_two_sweepers) {
            statement = &mutants::expire_any_state;
            look[0].statement = &mutants::read_due;
        }
        if (options_.mutant == Mutant::m26_expire_by_own_clock) {
            look[0].statement = &mutants::lock_due_by;
            look[0].arguments.emplace_back(environment_.clock.wall());
        }
    }
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(look)));
    std::vector<Due> due = whole_ones(due_in(answers[0]));
    const std::size_t count = due.size();
    if (count == 0) { co_return count; }
    std::vector<std::string> skus = skus_of(due);
    std::vector<Call> calls = locks_of(skus);
    calls.push_back(lock_stocks_call(std::move(skus)));
    Expiry expiry = expire(std::move(due), *statement);
    append(calls, std::move(expiry.calls));
    append(calls, record_calls(environment_.random, expiry.entries, {}));
    RP_CO_CHECK(co_await transaction->commit(std::move(calls)));
    co_return count;
}

Task<Result<std::size_t>> Application::forget_keys(Context context) {
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    const std::chrono::microseconds age = limits::idempotency_retention;
    auto forget = pipeline(number_call(statements::forget_keys, age.count()),
                           number_call(statements::outbox::forget, age.count()));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(forget)));
    co_return static_cast<std::size_t>(answers[0].affected);
}

}  // namespace rushproof::inventory
