// Reserving: one transaction of two or three round trips that claims the idempotency key, holds
// stock as the strategy does, and writes reservation and ledger together with the commit.
#include <utility>

#include "core/runtime/uuid.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/app/basket_mutant.hpp"
#include "services/inventory/app/feed.hpp"
#include "services/inventory/app/order.hpp"
#include "services/inventory/app/outbox_mutant.hpp"
#include "services/inventory/app/plants_mutant.hpp"
#include "services/inventory/domain/checks.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_many.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory {

namespace {

Call find_key_call(const Statement& statement, const Order& order) {
    return {statement,
            {order.request.owner.text(), std::string(reserve_operation), order.claimed.text()}};
}

Call write_key_call(const Statement& statement, const Order& order) {
    return {statement,
            {order.request.owner.text(), std::string(reserve_operation), order.claimed.text(),
             fingerprint_of(order.request.lines), order.id.text()}};
}

// Did the strategy take a basket's other lines before it locks those that are missing?  Whoever
// locks against the order of SKUs may meet a deadlock: such a basket begins anew, all locked first.
bool locks_late(const Order& order, Strategy strategy) {
    return order.request.lines.size() > 1 &&
           (strategy == Strategy::conditional || strategy == Strategy::optimistic ||
            strategy == Strategy::serializable);
}

// Before a refusal: what is due of the missing SKUs is expired in our own transaction, if that
// helps.
Task<Result<void>> hold_by_expiring(Transaction& transaction, const Order& order, Hold& hold) {
    std::vector<std::string> skus;
    std::vector<Call> look;
    for (const Line& line : hold.missing) {
        look.push_back(stock_call(statements::lock_stock, line.sku));
        skus.push_back(line.sku.text());
    }
    look.push_back(due_of_skus_call(std::move(skus), limits::expire_batch));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(look)));
    std::vector<Due> due = due_in(answers.back());
    Shelves before;
    for (std::size_t i = 0; i < hold.missing.size(); ++i) {
        if (answers[i].rows.empty()) { continue; }
        before[hold.missing[i].sku] = stock_of(answers[i].rows[0]).available();
    }
    Shelves shelves = before;
    for (const Due& each : due) {
        Quantity& available = shelves[each.line.sku];
        available = available + each.line.quantity;
    }
    RP_CO_CHECK(take(shelves, hold.missing));
    Expiry expiry = expire(std::move(due), statements::many::expire_reservation);
    append(hold.rest, std::move(expiry.calls));
    hold.expired = std::move(expiry.entries);
    for (const Line& line : hold.missing) {
        note_low(hold, order, line, before.at(line.sku), shelves.at(line.sku));
        hold.rest.push_back(stock_call(statements::change_held, line.sku, line.quantity));
    }
    co_return Result<void>();
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

void note_low(Hold& hold, const Order& order, const Line& line, Quantity before, Quantity after) {
    if (becomes_low(before, after, order.low_stock)) { hold.low.push_back({line.sku, after}); }
}

Call insert_call(std::span<const Order> orders) {
    std::vector<std::string> ids;
    std::vector<std::string> skus;
    std::vector<std::int64_t> quantities;
    std::vector<std::string> owners;
    std::vector<std::string> keys;
    std::vector<std::int64_t> lines;
    for (const Order& order : orders) {
        for (const Line& line : order.request.lines) {
            ids.push_back(order.id.text());
            skus.push_back(line.sku.text());
            quantities.push_back(line.quantity.units());
            owners.push_back(order.request.owner.text());
            keys.push_back(order.request.key.text());
            lines.push_back(static_cast<std::int64_t>(order.request.lines.size()));
        }
    }
    return {statements::many::insert_reservation,
            {std::move(ids), std::move(skus), std::move(quantities), std::move(owners),
             std::move(keys), std::move(lines), std::int64_t{orders.front().ttl.count()}}};
}

Reservation made_by(const Order& order, WallTime expires_at) {
    Reservation reservation;
    reservation.id = order.id;
    reservation.lines = order.request.lines;
    reservation.owner = order.request.owner;
    reservation.key = order.request.key;
    reservation.expires_at = expires_at;
    reservation.time_left = order.ttl;
    return reservation;
}

Result<Reservation> first_answer_of(const ReserveRequest& request, std::span<const Row> found,
                                    Mutant mutant) {
    if (text(found.front(), 0) != fingerprint_of(request.lines) &&
        !mutated(mutant, Mutant::m09_other_body_same_answer)) {
        return failure(key_reused());
    }
    return reservation_of(found, 1);
}

Task<Result<Reservation>> Application::reserve(Context context, ReserveRequest request) {
    IdempotencyKey claimed = request.key;
    auto attempt = [&]() -> Task<Result<Reservation>> {
        if (options_.strategy == Strategy::batched) {
            co_return co_await batcher_.reserve(context, request);
        }
        auto result = co_await reserve_once(context, request, claimed);
        if (mutated(options_.mutant, Mutant::m06_retry_without_key) && !result &&
            result.error().kind() == ErrorKind::unknown_outcome) {
            claimed = IdempotencyKey(uuid_v4(environment_.random));
        }
        if (mutated(options_.mutant, Mutant::m03_conflict_as_success) && !result &&
            result.error().code() == "serialization-failure") {
            const Order order = make_order(request, claimed);
            co_return made_by(order, environment_.clock.wall() + order.ttl);
        }
        co_return result;
    };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Hold>> Application::hold_in(std::unique_ptr<Transaction>& transaction, Context context,
                                        const Order& order) {
    std::vector<Rows> seen;
    const bool by_replica = mutated(order.mutant, Mutant::m28_decides_by_replica);
    if (options_.strategy == Strategy::naive || by_replica ||
        mutated(order.mutant, Mutant::m02_check_in_own_transaction)) {
        TransactionOptions unlocked;
        unlocked.route = by_replica ? Route::replica : Route::primary;
        std::vector<Call> look;
        look.reserve(order.request.lines.size());
        for (const Line& line : order.request.lines) {
            look.push_back(stock_call(statements::read_stock, line.sku));
        }
        RP_CO_TRY(seen, co_await read(context, std::move(look), unlocked));
    }
    TransactionOptions isolation;
    if (options_.strategy == Strategy::serializable) {
        isolation.isolation = Isolation::serializable;
    }
    if (mutated(order.mutant, Mutant::m03_conflict_as_success) ||
        mutated(order.mutant, Mutant::m04_write_skew)) {
        isolation.isolation = Isolation::repeatable_read;
    }
    RP_CO_TRY(transaction, co_await environment_.database.begin(context, isolation));
    const MonotonicTime asked = environment_.clock.monotonic();
    auto hold_it = [&]() -> Task<Result<Hold>> {
        if constexpr (mutants_compiled) {
            if (order.mutant == Mutant::m05_retry_keeps_half) {
                return hold_half(environment_.database, context, transaction, order);
            }
        }
        return hold_stock(*transaction, order, options_.strategy, std::move(seen));
    };
    auto held = co_await hold_it();
    contention_.locked(environment_.clock.monotonic() - asked);
    RP_CO_TRY(Hold hold, std::move(held));
    if (!hold.repeat && !hold.missing.empty() && locks_late(order, options_.strategy)) {
        transaction.reset();
        RP_CO_TRY(transaction, co_await environment_.database.begin(std::move(context)));
        RP_CO_TRY(hold, co_await hold_pessimistic(*transaction, order));
    }
    co_return hold;
}

Task<Result<Reservation>> Application::reserve_once(Context context, ReserveRequest request,
                                                    IdempotencyKey claimed) {
    const Order order = make_order(std::move(request), std::move(claimed));
    std::unique_ptr<Transaction> transaction;
    RP_CO_TRY(Hold hold, co_await hold_in(transaction, context, order));
    if (hold.repeat) {
        transaction.reset();
        co_return co_await first_answer(std::move(context), order);
    }
    if (!hold.missing.empty()) {
        RP_CO_CHECK(co_await hold_by_expiring(*transaction, order, hold));
    }
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m08_key_without_constraint) {
            hold.rest.push_back(write_key_call(mutants::insert_loose_key, order));
        }
    }
    std::vector<LedgerEntry> entries = std::move(hold.expired);
    for (LedgerEntry& entry : entries_of(LedgerKind::reserve, made_by(order, {}))) {
        entries.push_back(std::move(entry));
    }
    std::vector<Call> record = record_calls(environment_.random, entries, hold.low);
    std::vector<OutboxEvent> published;
    if constexpr (mutants_compiled) { published = without_outbox(order.mutant, record); }
    append(hold.rest, std::move(record));
    hold.rest.push_back(insert_call({&order, 1}));
    if (mutated(order.mutant, Mutant::m15_publish_then_commit)) {
        RP_CO_CHECK(co_await add_to_feed(environment_.database, context, published));
    }
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(hold.rest)));
    if (mutated(order.mutant, Mutant::m14_commit_then_publish)) {
        co_await add_to_feed(environment_.database, context, published);
    }
    if (mutated(order.mutant, Mutant::m04_write_skew)) {
        std::vector<Call> late;
        late.reserve(order.request.lines.size());
        for (const Line& line : order.request.lines) {
            late.push_back(stock_call(statements::change_held, line.sku, line.quantity));
        }
        RP_CO_TRY(transaction, co_await environment_.database.begin(context));
        RP_CO_CHECK(co_await transaction->commit(std::move(late)));
    }
    if (mutated(order.mutant, Mutant::m07_key_in_own_transaction)) {
        RP_CO_TRY(transaction, co_await environment_.database.begin(context));
        auto late = pipeline(write_key_call(statements::claim_key, order));
        RP_CO_CHECK(co_await transaction->commit(std::move(late)));
    }
    Reservation made = made_by(order, wall_time(answers.back().rows.at(0), 0));
    made.position = position_of(*transaction);
    co_return made;
}

Order Application::make_order(ReserveRequest request, IdempotencyKey claimed) {
    Order order{std::move(request),
                std::move(claimed),
                ReservationId(new_uuid(options_.shard, environment_.random)),
                std::chrono::duration_cast<std::chrono::microseconds>(options_.reservation_ttl),
                options_.low_stock,
                options_.mutant};
    if constexpr (mutants_compiled) { plants::disturb(order); }
    return order;
}

Task<Result<Reservation>> Application::first_answer(Context context, Order order) {
    Call find = find_key_call(statements::find_key, order);
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m08_key_without_constraint) { find = claim_call(order); }
    }
    // Only a transaction that may write tells its position.
    TransactionOptions options;
    if (options_.reads == Route::primary) { options.access = Access::read_only; }
    auto only = pipeline(std::move(find));
    RP_CO_TRY(const auto transaction,
              co_await environment_.database.begin(std::move(context), options));
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(only)));
    const std::vector<Row>& rows = found.front().rows;
    if (rows.empty()) {
        co_return failure(ErrorKind::retryable, "key-in-flight", "the key's first use just ended");
    }
    RP_CO_TRY(Reservation first, first_answer_of(order.request, rows, order.mutant));
    RP_CO_TRY(first.position, co_await position_after(*transaction));
    co_return first;
}

}  // namespace rushproof::inventory
