// How each strategy holds stock, after claiming the idempotency key in the same round trip.
#include <utility>

#include "core/base/assert.hpp"
#include "services/inventory/app/order.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"
#include "services/inventory/store/statements_mutant.hpp"

namespace rushproof::inventory {

namespace {

bool is_enough(const Rows& stock, const Line& line) {
    return !stock.rows.empty() && stock_of(stock.rows[0]).available() >= line.quantity;
}

void note_taking(Hold& hold, const Order& order, const Line& line, const Rows& stock) {
    const Quantity before = stock_of(stock.rows[0]).available();
    note_low(hold, order, line, before, before - line.quantity);
}

// {claim, locks, `statement` for each line}
std::vector<Call> claim_and(const Statement& statement, const Order& order,
                            std::vector<Call> locks = {}) {
    auto calls = pipeline(claim_call(order));
    append(calls, std::move(locks));
    for (const Line& line : order.request.lines) {
        calls.push_back(stock_call(statement, line.sku));
    }
    return calls;
}

// Reads, decides, and adds with the commit.  Nobody may change the stock in between: that is up to
// `read` and `locks`, or to the isolation of the transaction.
Task<Result<Hold>> hold_what_is_read(Transaction& transaction, const Order& order,
                                     const Statement& read, std::vector<Call> locks) {
    const std::size_t first = 1 + locks.size();
    auto calls = claim_and(read, order, std::move(locks));
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    Hold hold;
    hold.repeat = !is_claimed(answers[0], order);
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        const Rows& stock = answers[first + i];
        if (!is_enough(stock, line)) {
            hold.missing.push_back(line);
        } else {
            note_taking(hold, order, line, stock);
            hold.rest.push_back(stock_call(statements::change_held, line.sku, line.quantity));
        }
    }
    co_return hold;
}

// The snapshot is the transaction's: who changes a row that another has changed since is refused,
// at the latest by the commit.
Task<Result<Hold>> hold_serializable(Transaction& transaction, const Order& order) {
    return hold_what_is_read(transaction, order, statements::read_stock, {});
}

// Reads by statements after the lock's own, whose snapshots show what its last holder committed.
// The lock is the transaction's: commit and rollback free it together with the rows, also when the
// client is gone.  A session's would have to be freed after the commit, by hand, and a connection
// that goes back to the pool without that would keep it.
Task<Result<Hold>> hold_advisory_lock(Transaction& transaction, const Order& order) {
    std::vector<std::string> skus;
    skus.reserve(order.request.lines.size());
    for (const Line& line : order.request.lines) { skus.push_back(line.sku.text()); }
    return hold_what_is_read(transaction, order, statements::read_stock, lock_key_calls(skus));
}

Task<Result<Hold>> hold_table_lock(Transaction& transaction, const Order& order) {
    return hold_what_is_read(transaction, order, statements::read_stock,
                             pipeline(lock_table_call()));
}

// One UPDATE that takes only what is there: the database checks and writes under its own row lock.
Task<Result<Hold>> hold_conditional(Transaction& transaction, const Order& order) {
    auto calls = pipeline(claim_call(order));
    for (const Line& line : order.request.lines) {
        calls.push_back(stock_call(statements::take_stock, line.sku, line.quantity));
    }
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    Hold hold;
    hold.repeat = !is_claimed(answers[0], order);
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        if (answers[i + 1].rows.empty()) {
            hold.missing.push_back(line);
        } else {
            const Quantity after = stock_of(answers[i + 1].rows[0]).available();
            note_low(hold, order, line, after + line.quantity, after);
        }
    }
    co_return hold;
}

// Reads without a lock, and writes only if the version is still the one that was read.
Task<Result<Hold>> hold_optimistic(Transaction& transaction, const Order& order) {
    auto calls = claim_and(statements::read_stock, order);
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    Hold hold;
    hold.repeat = !is_claimed(answers[0], order);
    if (hold.repeat) { co_return hold; }
    std::vector<Call> writes;
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        const Rows& stock = answers[i + 1];
        if (!is_enough(stock, line)) {
            hold.missing.push_back(line);
        } else {
            note_taking(hold, order, line, stock);
            const std::int64_t version = stock_of(stock.rows[0]).version;
            writes.push_back(change_held_at_call(line.sku, line.quantity, version));
        }
    }
    if (writes.empty()) { co_return hold; }
    RP_CO_TRY(const auto written, co_await transaction.execute(std::move(writes)));
    for (const Rows& each : written) {
        if (each.affected == 1) { continue; }
        co_return failure(ErrorKind::retryable, "version-conflict", "the stock changed meanwhile");
    }
    co_return hold;
}

// The negative control: writes what it computed from an old reading.
Task<Result<Hold>> hold_naive(Transaction& transaction, const Order& order,
                              std::vector<Rows> seen) {
    Hold hold;
    auto calls = pipeline(claim_call(order));
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        if (!is_enough(seen[i], line)) {
            hold.missing.push_back(line);
        } else {
            note_taking(hold, order, line, seen[i]);
            const Quantity held = stock_of(seen[i].rows[0]).held + line.quantity;
            calls.push_back(stock_call(statements::write_held, line.sku, held));
        }
    }
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    hold.repeat = !is_claimed(answers[0], order);
    co_return hold;
}

Task<Result<Hold>> hold_m01(Transaction& transaction, const Order& order) {
    auto calls = claim_and(statements::read_stock, order);
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    Hold hold;
    hold.repeat = !is_claimed(answers[0], order);
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        if (!is_enough(answers[i + 1], line)) {
            hold.missing.push_back(line);
        } else {
            const Quantity held = stock_of(answers[i + 1].rows[0]).held + line.quantity;
            hold.rest.push_back(stock_call(statements::write_held, line.sku, held));
        }
    }
    co_return hold;
}

// Adds to what it has not locked since it looked.
Task<Result<Hold>> hold_m02(Transaction& transaction, const Order& order, std::vector<Rows> seen) {
    auto calls = pipeline(claim_call(order));
    Hold hold;
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        if (!is_enough(seen[i], line)) {
            hold.missing.push_back(line);
        } else {
            calls.push_back(stock_call(statements::change_held, line.sku, line.quantity));
        }
    }
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    hold.repeat = !is_claimed(answers[0], order);
    co_return hold;
}

// Compares the sum of other rows with a limit, and adds a row of its own.
[[maybe_unused]] Task<Result<Hold>> hold_m04(Transaction& transaction, const Order& order,
                                             const Statement& sum_held) {
    auto calls = pipeline(claim_call(order));
    for (const Line& line : order.request.lines) {
        calls.push_back(stock_call(statements::read_stock, line.sku));
        calls.push_back(stock_call(sum_held, line.sku));
    }
    RP_CO_TRY(const auto answers, co_await transaction.execute(std::move(calls)));
    Hold hold;
    hold.repeat = !is_claimed(answers[0], order);
    if (hold.repeat) { co_return hold; }
    for (std::size_t i = 0; i < order.request.lines.size(); ++i) {
        const Line& line = order.request.lines[i];
        const Rows& stock = answers[2 * i + 1];
        if (stock.rows.empty()) { co_return failure(no_such_sku(line.sku)); }
        const Quantity sum(integer(answers[2 * i + 2].rows.at(0), 0));
        if (stock_of(stock.rows[0]).on_hand - sum < line.quantity) {
            co_return failure(too_little_of(line.sku));
        }
    }
    co_return hold;
}

}  // namespace

// SELECT ... FOR UPDATE: whoever comes later waits for our commit before it reads.
Task<Result<Hold>> hold_pessimistic(Transaction& transaction, const Order& order) {
    return hold_what_is_read(transaction, order, statements::lock_stock, {});
}

Task<Result<Hold>> hold_stock(Transaction& transaction, const Order& order, Strategy strategy,
                              std::vector<Rows> seen) {
    if (mutated(order.mutant, Mutant::m01_read_modify_write) ||
        mutated(order.mutant, Mutant::m03_conflict_as_success)) {
        return hold_m01(transaction, order);
    }
    if (mutated(order.mutant, Mutant::m02_check_in_own_transaction) ||
        mutated(order.mutant, Mutant::m28_decides_by_replica)) {
        return hold_m02(transaction, order, std::move(seen));
    }
    if constexpr (mutants_compiled) {
        if (order.mutant == Mutant::m04_write_skew) {
            return hold_m04(transaction, order, mutants::sum_held);
        }
    }
    switch (strategy) {
        case Strategy::naive: return hold_naive(transaction, order, std::move(seen));
        case Strategy::pessimistic: return hold_pessimistic(transaction, order);
        case Strategy::conditional: return hold_conditional(transaction, order);
        case Strategy::optimistic: return hold_optimistic(transaction, order);
        case Strategy::serializable: return hold_serializable(transaction, order);
        case Strategy::advisory_lock: return hold_advisory_lock(transaction, order);
        case Strategy::table_lock: return hold_table_lock(transaction, order);
        case Strategy::batched: break;  // app/batch.hpp
    }
    RP_ASSERT(false);
}

}  // namespace rushproof::inventory
