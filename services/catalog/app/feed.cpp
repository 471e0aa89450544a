#include "services/catalog/app/feed.hpp"

#include <algorithm>
#include <utility>

#include "services/catalog/domain/event.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

Task<Result<void>> add_to_feed(Database& database, Context context,
                               std::vector<OutboxEvent> events) {
    // Rows are locked in one order; a product's own events stay in theirs.
    std::ranges::stable_sort(events, {}, &OutboxEvent::aggregate);
    std::vector<Call> calls;
    for (const OutboxEvent& event : events) {
        calls.emplace_back(statements::open_feed, Row{event.aggregate});
        calls.emplace_back(statements::take_event,
                           Row{event.aggregate, version_in(event.body), event.kind});
    }
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->commit(std::move(calls)));
    co_return Result<void>();
}

}  // namespace rushproof::catalog
