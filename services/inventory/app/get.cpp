// The use cases that only read.
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Task<Result<Rows>> Application::read(Context context, Call call) {
    auto only = pipeline(std::move(call));
    RP_CO_TRY(auto answers, co_await read(std::move(context), std::move(only)));
    co_return std::move(answers.front());
}

Task<Result<std::vector<Rows>>> Application::read(Context context, std::vector<Call> calls) {
    return read_only(environment_.database, std::move(context), std::move(calls));
}

Task<Result<Reservation>> Application::get_reservation(Context context, ReservationId id,
                                                       Owner owner) {
    auto attempt = [&] {
        return read(context, reservation_call(statements::find_reservation, id));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    co_return only_of(owner, found);
}

Task<Result<Stock>> Application::get_stock(Context context, Sku sku) {
    auto attempt = [&] { return read(context, stock_call(statements::read_stock, sku)); };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    if (found.rows.empty()) { co_return failure(ErrorKind::permanent, "not-found", "no such SKU"); }
    co_return stock_of(found.rows[0]);
}

Task<Result<std::vector<Reservation>>> Application::list_reservations(Context context,
                                                                      ReservationPage page) {
    auto attempt = [&] {
        return read(context, Call(statements::list_reservations,
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
        return read(context, Call(statements::list_stock, {page.after.text(), page.limit}));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<std::pair<Sku, Stock>> stocks;
    for (const Row& row : found.rows) { stocks.emplace_back(Sku(text(row, 0)), stock_of(row, 1)); }
    co_return stocks;
}

Task<Result<std::vector<LedgerEntry>>> Application::get_ledger(Context context, LedgerPage page) {
    auto attempt = [&] {
        return read(context, ledger_page_call(page.sku, page.after, page.limit));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<LedgerEntry> entries;
    entries.reserve(found.rows.size());
    for (const Row& row : found.rows) { entries.push_back(ledger_entry_of(row)); }
    co_return entries;
}

Task<Result<bool>> Application::ping(Context context) {
    Call ping(statements::ping, {});
    RP_CO_CHECK(co_await read(std::move(context), std::move(ping)));
    co_return true;
}

}  // namespace rushproof::inventory
