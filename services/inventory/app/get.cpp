// The use cases that only read.
#include <utility>

#include "core/runtime/position.hpp"
#include "services/inventory/app/application.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Counter& Application::count_reads(Telemetry& telemetry, std::string route) {
    return telemetry.counter("inventory_reads_total",
                             "Calls that only read, by where they were sent",
                             {{"route", std::move(route)}});
}

Task<Result<Rows>> Application::look_up(Context context, Call call) {
    RP_CO_TRY(const TransactionOptions options,
              reading_at(context.position, options_.shard, options_.reads));
    (options.route == Route::replica ? replica_reads_ : primary_reads_).add();
    auto only = pipeline(std::move(call));
    RP_CO_TRY(auto answers, co_await read(std::move(context), std::move(only), options));
    co_return std::move(answers.front());
}

Task<Result<std::vector<Rows>>> Application::read(Context context, std::vector<Call> calls,
                                                  TransactionOptions options) {
    return read_only(environment_.database, std::move(context), std::move(calls), options);
}

Task<Result<Reservation>> Application::get_reservation(Context context, ReservationId id,
                                                       Owner owner) {
    auto attempt = [&] {
        return look_up(context, reservation_call(statements::find_reservation, id));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    co_return only_of(owner, found);
}

Task<Result<Stock>> Application::get_stock(Context context, Sku sku) {
    auto attempt = [&] { return look_up(context, stock_call(statements::read_stock, sku)); };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    if (found.rows.empty()) { co_return failure(ErrorKind::permanent, "not-found", "no such SKU"); }
    co_return stock_of(found.rows[0]);
}

Task<Result<std::vector<Reservation>>> Application::list_reservations(Context context,
                                                                      ReservationPage page) {
    auto attempt = [&] {
        return look_up(context, Call(statements::list_reservations,
                                     {page.owner.text(), page.sku.text(), page.state,
                                      page.after_id.text(), page.after_sku.text(), page.limit}));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<Reservation> reservations;
    for (const Row& row : found.rows) { reservations.push_back(reservation_of({&row, 1})); }
    co_return reservations;
}

Task<Result<std::vector<std::pair<Sku, Stock>>>> Application::list_stock(Context context,
                                                                         StockPage page) {
    auto attempt = [&] {
        return look_up(context, Call(statements::list_stock, {page.after.text(), page.limit}));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<std::pair<Sku, Stock>> stocks;
    for (const Row& row : found.rows) { stocks.emplace_back(Sku(text(row, 0)), stock_of(row, 1)); }
    co_return stocks;
}

Task<Result<std::vector<LedgerEntry>>> Application::get_ledger(Context context, LedgerPage page) {
    auto attempt = [&] {
        return look_up(context, ledger_page_call(page.sku, page.after, page.limit));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<LedgerEntry> entries;
    entries.reserve(found.rows.size());
    for (const Row& row : found.rows) { entries.push_back(ledger_entry_of(row)); }
    co_return entries;
}

std::string Application::position_of(const Transaction& transaction) const {
    return position_text(options_.shard, transaction.position());
}

Task<Result<std::string>> Application::position_after(Transaction& transaction) {
    if (options_.reads == Route::replica) { RP_CO_CHECK(co_await transaction.commit()); }
    co_return position_of(transaction);
}

Task<Result<bool>> Application::ping(Context context) {
    auto ping = pipeline(Call(statements::ping, {}));
    RP_CO_CHECK(co_await read(std::move(context), std::move(ping)));
    co_return true;
}

}  // namespace rushproof::inventory
