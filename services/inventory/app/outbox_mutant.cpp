#include "services/inventory/app/outbox_mutant.hpp"

#include <utility>

#include "services/inventory/app/feed.hpp"
#include "services/inventory/store/calls.hpp"
#include "services/inventory/store/statements_mutant.hpp"
#include "services/inventory/store/statements_outbox.hpp"

namespace rushproof::inventory {

std::vector<OutboxEvent> without_outbox(Mutant mutant, std::vector<Call>& record) {
    if (mutant != Mutant::m14_commit_then_publish && mutant != Mutant::m15_publish_then_commit) {
        return {};
    }
    const Row arguments = std::move(record.back().arguments);
    record.pop_back();
    const auto texts = [&](std::size_t index) {
        return std::get<std::vector<std::string>>(arguments[index]);
    };
    std::vector<OutboxEvent> events;
    for (std::size_t i = 0; i < texts(0).size(); ++i) {
        events.push_back({0, texts(0)[i], texts(2)[i], texts(3)[i], texts(4)[i]});
    }
    return events;
}

Task<Result<std::size_t>> deliver_carelessly(Environment& environment, Context context,
                                             Mutant mutant) {
    const bool marks_first = mutant == Mutant::m17_removed_before_delivery;
    RP_CO_TRY(auto transaction, co_await environment.database.begin(context));
    std::vector<Call> look;
    for (std::int64_t lane = 0; lane < outbox_lanes && marks_first; ++lane) {
        look.emplace_back(statements::outbox::read_lane, Row{lane, std::int64_t{100}});
    }
    if (!marks_first) { look.emplace_back(mutants::read_new_events, Row{std::int64_t{100}}); }
    RP_CO_TRY(const auto found, co_await transaction->execute(std::move(look)));
    std::vector<OutboxEvent> events;
    std::vector<std::int64_t> numbers;
    for (const Rows& rows : found) {
        for (const Row& row : rows.rows) {
            events.push_back(
                {integer(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4)});
            numbers.push_back(integer(row, 0));
        }
    }
    if (events.empty()) { co_return std::size_t{0}; }
    auto remove = pipeline(Call(statements::outbox::remove, {std::move(numbers)}));
    if (marks_first) {
        RP_CO_CHECK(co_await transaction->commit(std::move(remove)));
        RP_CO_CHECK(co_await add_to_feed(environment.database, context, events));
        co_return events.size();
    }
    RP_CO_CHECK(co_await add_to_feed(environment.database, context, events));
    RP_CO_CHECK(co_await transaction->commit(std::move(remove)));
    co_return events.size();
}

}  // namespace rushproof::inventory
