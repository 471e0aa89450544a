// Confirming and releasing.  The reservation's conditional change of state decides; the stock
// follows in the same transaction.
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/app/record.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Task<Result<Reservation>> Application::end(Context context, Ending wish, ReservationId id,
                                           Owner owner) {
    auto attempt = [&] { return end_once(context, wish, id, owner); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Reservation>> Application::end_once(Context context, Ending wish, ReservationId id,
                                                Owner owner) {
    const bool confirms = wish == Ending::confirm;
    const Statement& change_state =
        confirms ? statements::confirm_reservation : statements::release_reservation;
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(context));
    auto first = pipeline(reservation_call(change_state, id, owner));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(first)));
    if (answers[0].rows.empty()) {
        // An earlier try, whose outcome nobody learned, may still land: a refusal waits for it.
        auto look = pipeline(reservation_call(statements::lock_reservation, id));
        RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
        RP_CO_TRY(Reservation reservation, only_of(owner, found[0]));
        RP_CO_CHECK(answer_late(wish, reservation));
        RP_CO_TRY(reservation.position, co_await position_after(*transaction));
        co_return reservation;
    }
    Reservation ended = reservation_of(answers[0].rows);
    std::vector<std::string> skus;
    for (const Line& line : ended.lines) { skus.push_back(line.sku.text()); }
    std::vector<Call> last = locks_of(skus);
    for (const Line& line : ended.lines) {
        last.push_back(
            confirms ? stock_call(statements::sell_stock, line.sku, line.quantity)
                     : stock_call(statements::change_held, line.sku, Quantity() - line.quantity));
    }
    const LedgerKind kind = confirms ? LedgerKind::confirm : LedgerKind::release;
    append(last, record_calls(environment_.random, entries_of(kind, ended), {}));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    ended.position = position_of(*transaction);
    co_return ended;
}

}  // namespace rushproof::inventory
