// Extending: the time to live begins anew, up to the longest life of a reservation.
#include <utility>

#include "services/inventory/app/application.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements.hpp"

namespace rushproof::inventory {

Task<Result<Reservation>> Application::extend(Context context, ReservationId id, Owner owner) {
    auto attempt = [&] { return extend_once(context, id, owner); };
    co_return co_await with_retries(context, std::move(attempt));
}

Task<Result<Reservation>> Application::extend_once(Context context, ReservationId id, Owner owner) {
    using std::chrono::microseconds;
    const auto ttl = std::chrono::duration_cast<microseconds>(options_.reservation_ttl);
    const microseconds longest = limits::reservation_ttl;
    auto first = pipeline(
        Call(statements::extend_reservation,
             {id.text(), owner.text(), std::int64_t{ttl.count()}, std::int64_t{longest.count()}}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(first)));
    if (answers[0].rows.empty()) {
        auto look = pipeline(reservation_call(statements::lock_reservation, id));
        RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
        RP_CO_TRY(const Reservation reservation, only_of(owner, found[0]));
        co_return failure(not_held(reservation));
    }
    RP_CO_CHECK(co_await transaction->commit());
    Reservation extended = reservation_of(answers[0].rows);
    extended.position = position_of(*transaction);
    co_return extended;
}

}  // namespace rushproof::inventory
