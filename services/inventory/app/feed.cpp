#include "services/inventory/app/feed.hpp"

#include <map>
#include <set>
#include <utility>

#include "core/runtime/json.hpp"
#include "services/inventory/domain/event.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

namespace {

struct Change {
    Stock stock;
    std::int64_t first = 0;
    std::int64_t last = 0;
};

std::map<std::string, Change> fold(const std::vector<OutboxEvent>& events,
                                   std::set<std::string> fresh) {
    std::map<std::string, Change> changes;
    for (const OutboxEvent& event : events) {
        if (fresh.erase(event.id) == 0) { continue; }  // it may come twice at once, too
        const Quantity quantity(JsonBody(event.body).integer("quantity").value_or(0));
        const Stock by = change_by(event.kind, quantity);
        Change& change = changes[event.aggregate];
        change.stock.on_hand = change.stock.on_hand + by.on_hand;
        change.stock.held = change.stock.held + by.held;
        change.stock.sold = change.stock.sold + by.sold;
        if (change.first == 0) { change.first = event.number; }
        change.last = event.number;
    }
    return changes;
}

std::vector<Call> write_calls(const std::map<std::string, Change>& changes) {
    std::vector<std::string> skus;
    std::vector<std::int64_t> on_hand;
    std::vector<std::int64_t> held;
    std::vector<std::int64_t> sold;
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> last;
    for (const auto& [sku, change] : changes) {
        skus.push_back(sku);
        on_hand.push_back(change.stock.on_hand.units());
        held.push_back(change.stock.held.units());
        sold.push_back(change.stock.sold.units());
        first.push_back(change.first);
        last.push_back(change.last);
    }
    Call open(statements::outbox::open_feed, {skus});
    return pipeline(std::move(open), Call(statements::outbox::add_to_feed,
                                          {std::move(skus), std::move(on_hand), std::move(held),
                                           std::move(sold), std::move(first), std::move(last)}));
}

}  // namespace

Task<Result<void>> add_to_feed(Database& database, Context context,
                               std::vector<OutboxEvent> events) {
    if (events.empty()) { co_return Result<void>(); }
    std::vector<std::string> ids;
    for (const OutboxEvent& event : events) { ids.push_back(event.id); }
    auto receive = pipeline(Call(statements::outbox::receive, {std::move(ids)}));
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context)));
    RP_CO_TRY(const auto received, co_await transaction->execute(std::move(receive)));
    std::set<std::string> fresh;
    for (const Row& row : received[0].rows) { fresh.insert(text(row, 0)); }
    const auto changes = fold(events, std::move(fresh));
    if (changes.empty()) { co_return Result<void>(); }
    auto writes = write_calls(changes);
    RP_CO_CHECK(co_await transaction->commit(std::move(writes)));
    co_return Result<void>();
}

}  // namespace rushproof::inventory
