// The use cases of inventory, one file each.  All state is in the database; the only thing kept
// here is the budget for retries.
//
// Locks, so that no two transactions can wait for each other: a reserve takes its idempotency key,
// then stock, and takes due reservations only if nobody else has them; whoever ends reservations
// takes those first, then stock.  Stock is: under `advisory-lock` its keys in their order, then the
// table if it is to be locked, then rows in the order of their SKUs.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/retry.hpp"
#include "services/inventory/app/batch.hpp"
#include "services/inventory/domain/ledger.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/domain/stock.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/limits.hpp"
#include "services/inventory/store/calls.hpp"

namespace rushproof::inventory {

struct Order;  // one attempt to reserve
struct Hold;   // and what it found

struct Adjustment {
    Owner owner;
    IdempotencyKey key;
    std::vector<Line> changes;  // of on_hand, negative to shrink; sorted by SKU, each once
    // While no reserve runs: takes the table's lock, and waits for it limits::table_lock_wait.
    bool alone = false;
};

struct ReservationPage {
    Owner owner;
    Sku sku;            // empty: any
    std::string state;  // a word of State; empty: any
    ReservationId after_id;
    Sku after_sku;
    std::int64_t limit = limits::page_default;
};

struct StockPage {
    Sku after;
    std::int64_t limit = limits::page_default;
};

struct LedgerPage {
    Sku sku;
    std::int64_t after = 0;
    std::int64_t limit = limits::page_default;
};

// Any number of calls may be under way.  Errors of all of them, beside their own: retryable and
// unknown outcome as the database answered, after retries within the context's deadline.
class Application {
public:
    Application(Environment& environment, const Options& options)
        : environment_(environment),
          options_(options),
          contention_(environment.telemetry, options.strategy),
          primary_reads_(count_reads(environment.telemetry, "primary")),
          replica_reads_(count_reads(environment.telemetry, "replica")),
          batcher_(environment, options_, retry_budget_, contention_) {}

    // When no call is under way and none will come.
    Task<void> join() { return batcher_.join(); }

    // Holds all lines for an owner, or none.  A repeat under the same key gets the first answer.
    // "not-found", "insufficient-stock" (not remembered: a repeat may succeed), "key-reused".
    Task<Result<Reservation>> reserve(Context context, ReserveRequest request);

    // "not-found" also for reservations of other owners; "not-held".  A repeat gets the same
    // answer.
    Task<Result<Reservation>> end(Context context, Ending wish, ReservationId id, Owner owner);
    // Its time to live begins anew.  "not-found", "not-held".
    Task<Result<Reservation>> extend(Context context, ReservationId id, Owner owner);
    Task<Result<Reservation>> get_reservation(Context context, ReservationId id, Owner owner);
    // Line by line: a reservation of several lines comes as several.
    Task<Result<std::vector<Reservation>>> list_reservations(Context context, ReservationPage page);

    Task<Result<Stock>> get_stock(Context context, Sku sku);
    // Creates the stock if need be.  "conflict" if less than what is held.
    Task<Result<Stock>> set_stock(Context context, Sku sku, Quantity on_hand);
    // All of them or none: the stocks after it, in the order of the changes.  A repeat under the
    // same key gets the first answer.  "not-found", "conflict", "key-reused"; retryable
    // "lock-timeout".
    Task<Result<std::vector<Stock>>> adjust(Context context, Adjustment adjustment);
    Task<Result<std::vector<std::pair<Sku, Stock>>>> list_stock(Context context, StockPage page);
    // Entries numbered above `after`, in order.
    Task<Result<std::vector<LedgerEntry>>> get_ledger(Context context, LedgerPage page);

    // Expires at most limits::expire_batch due reservations; returns how many.  May run in many
    // instances at once.
    Task<Result<std::size_t>> expire_due(Context context);
    // Forgets idempotency keys past their retention; returns how many.
    Task<Result<std::size_t>> forget_keys(Context context);
    // Is the database there?
    Task<Result<bool>> ping(Context context);

private:
    static Counter& count_reads(Telemetry& telemetry, std::string route);

    // One transaction that only reads, by options.reads and the context's position: its rows.
    Task<Result<Rows>> look_up(Context context, Call call);
    // The same from where `options` say.
    Task<Result<std::vector<Rows>>> read(Context context, std::vector<Call> calls,
                                         TransactionOptions options = {});
    // Where the effect of a transaction that was committed can be seen.
    std::string position_of(const Transaction& transaction) const;
    // The same of what one found done already; it is over then.
    Task<Result<std::string>> position_after(Transaction& transaction);

    Task<Result<Reservation>> reserve_once(Context context, ReserveRequest request,
                                           IdempotencyKey claimed);
    // Begins the transaction in which the stock is held.
    Task<Result<Hold>> hold_in(std::unique_ptr<Transaction>& transaction, Context context,
                               const Order& order);
    Order make_order(ReserveRequest request, IdempotencyKey claimed);
    // What the first use of the order's key was answered; "key-reused" if it asked for more or
    // less.
    Task<Result<Reservation>> first_answer(Context context, Order order);
    Task<Result<Reservation>> end_once(Context context, Ending wish, ReservationId id, Owner owner);
    Task<Result<Reservation>> extend_once(Context context, ReservationId id, Owner owner);
    Task<Result<Stock>> set_stock_once(Context context, Sku sku, Quantity on_hand);
    Task<Result<std::vector<Stock>>> adjust_once(Context context, Adjustment adjustment);
    struct StockChange {
        Sku sku;
        Quantity change;  // of on_hand
        Quantity before;  // available
        Quantity after;
    };
    std::vector<Call> record_stock_changes(const std::vector<StockChange>& changes);
    // What is to be locked before these stocks are read or written, beside their rows.
    std::vector<Call> locks_of(const std::vector<std::string>& skus) const;

    // Again on retryable errors; on unknown outcomes too, because every use case here may be
    // repeated.  `operation` is a callable that returns Task<Result<...>>.
    template <class Operation>
    auto with_retries(const Context& context, Operation operation) {
        const RetryLimits limits{limits::retry_policy, context.deadline, Repeatable::yes,
                                 [this](const Error& error) { contention_.failed(error); },
                                 [this](GaveUp why) { contention_.gave_up(why); }};
        return retry(environment_.clock, environment_.random, retry_budget_, limits,
                     std::move(operation));
    }

    Environment& environment_;
    Options options_;
    RetryBudget retry_budget_{limits::retries_saved, limits::retries_per_hundred_calls};
    Contention contention_;
    Counter& primary_reads_;
    Counter& replica_reads_;
    Batcher batcher_;
};

// What expiring these reservations means to stock, reservation and ledger; they and the stock are
// locked.  Lines of one reservation stand together.
struct Expiry {
    std::vector<Call> calls;  // beside the record
    std::vector<LedgerEntry> entries;
};
Expiry expire(std::vector<Due> due, const Statement& statement);

}  // namespace rushproof::inventory
