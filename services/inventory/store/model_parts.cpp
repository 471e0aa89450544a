#include "services/inventory/store/model_parts.hpp"

#include <string>
#include <utility>

namespace rushproof::inventory::model {

Task<Result<Rows>> lock_due(ModelTransaction& transaction, RowFilter filter, WallTime now,
                            std::int64_t limit) {
    filter.where = [now, condition = std::move(filter.where)](const Row& row) {
        return wall_time(row, reservation::expires_at) <= now && (!condition || condition(row));
    };
    RP_CO_TRY(const auto rows, co_await transaction.select_for_update(
                                   "reservation", std::move(filter), LockWait::skip_locked,
                                   static_cast<std::size_t>(limit)));
    Rows result;
    for (const Row& row : rows) {
        result.rows.push_back(pick(row, {reservation::id, reservation::sku, reservation::quantity,
                                         reservation::key, reservation::lines}));
    }
    co_return result;
}

Task<Result<Rows>> find_first_made(ModelTransaction& transaction, Value fingerprint, Value result) {
    RowFilter filter = where(reservation::id, std::move(result));
    RP_CO_TRY(const auto rows, co_await transaction.select("reservation", std::move(filter)));
    Rows found;
    for (const Row& row : rows) {
        const WallTime expires_at = wall_time(row, reservation::expires_at);
        const WallTime created_at = wall_time(row, reservation::created_at);
        Row first_made;
        first_made.push_back(fingerprint);
        for (std::size_t i = reservation::id; i <= reservation::key; ++i) {
            first_made.push_back(row[i]);
        }
        first_made.emplace_back(std::string("held"));
        first_made.emplace_back(expires_at);
        first_made.emplace_back((expires_at - created_at).count());
        found.rows.push_back(std::move(first_made));
    }
    co_return found;
}

}  // namespace rushproof::inventory::model
