#include "core/runtime/outbox.hpp"

#include <utility>

#include "core/base/hash.hpp"
#include "core/runtime/retry.hpp"
#include "core/runtime/uuid.hpp"

namespace rushproof {

namespace {

constexpr std::int64_t events_at_once = 100;
constexpr Duration claim_margin = std::chrono::milliseconds(500);

std::vector<Call> only(Call call) {
    std::vector<Call> calls;
    calls.push_back(std::move(call));
    return calls;
}

}  // namespace

std::int64_t outbox_lane(const std::string& aggregate) {
    return static_cast<std::int64_t>(hash64(aggregate) % outbox_lanes);
}

void OutboxAppend::add(const std::string& aggregate, std::string_view kind, std::string body) {
    ids_.push_back(uuid_v4(random_));
    lanes_.push_back(outbox_lane(aggregate));
    aggregates_.push_back(aggregate);
    kinds_.emplace_back(kind);
    bodies_.push_back(std::move(body));
}

Call OutboxAppend::call(const Statement& append) && {
    return {append,
            {std::move(ids_), std::move(lanes_), std::move(aggregates_), std::move(kinds_),
             std::move(bodies_)}};
}

OutboxRelay::OutboxRelay(Environment& environment, const OutboxStatements& statements,
                         std::string_view role, Deliver deliver)
    : environment_(environment),
      statements_(statements),
      deliver_(std::move(deliver)),
      backlog_(environment.telemetry.gauge(std::string(role) + "_outbox_backlog",
                                           "Events that wait for their delivery")),
      age_(environment.telemetry.duration(std::string(role) + "_outbox_seconds",
                                          "From an event's transaction to its delivery")),
      failed_(environment.telemetry.counter(std::string(role) + "_failed_deliveries_total",
                                            "Deliveries of events that were not finished")) {}

Task<Result<void>> OutboxRelay::prepare(Context context) {
    std::vector<std::int64_t> lanes;
    for (std::int64_t lane = 0; lane < outbox_lanes; ++lane) { lanes.push_back(lane); }
    auto create = only(Call(statements_.create_lanes, {std::move(lanes)}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->commit(std::move(create)));
    co_return Result<void>();
}

Task<Result<std::size_t>> OutboxRelay::deliver_some(Context context) {
    RP_CO_TRY(std::optional<Claimed> claimed, co_await claim_lane(context));
    if (!claimed) { co_return std::size_t{0}; }
    std::vector<std::int64_t> numbers;
    for (const OutboxEvent& event : claimed->events) { numbers.push_back(event.number); }
    const std::size_t count = numbers.size();
    const auto delivered = co_await deliver_(context, std::move(claimed->events));
    std::vector<Call> last;
    if (delivered) { last = only(Call(statements_.remove, {std::move(numbers)})); }
    last.emplace_back(statements_.release_lane, Row{claimed->lane, std::move(claimed->claim)});
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    RP_CO_CHECK(delivered);
    co_return count;
}

// Relays that start together should not look together.
Task<void> OutboxRelay::run(Duration interval, Duration timeout, DeliverSome some) {
    Clock& clock = environment_.clock;
    const Duration first = jitter(environment_.random, interval);
    co_await sleep_for(clock, first);
    bool prepared = false;
    while (true) {
        if (!prepared) {
            prepared = (co_await prepare(Context(clock.monotonic() + timeout))).has_value();
        }
        if (prepared) { co_await deliver_all(timeout, some); }
        co_await sleep_for(clock, interval);
    }
}

Task<void> OutboxRelay::deliver_all(Duration timeout, const DeliverSome& some) {
    while (true) {
        const auto delivered = co_await some(Context(environment_.clock.monotonic() + timeout));
        if (!delivered) {
            failed_.add();
            co_return;
        }
        if (*delivered == 0) { co_return; }
    }
}

Task<Result<std::optional<OutboxRelay::Claimed>>> OutboxRelay::claim_lane(Context context) {
    Claimed claimed;
    claimed.claim = uuid_v4(environment_.random);
    const Duration length = context.deadline - environment_.clock.monotonic() + claim_margin;
    const auto length_us = std::chrono::duration_cast<std::chrono::microseconds>(length).count();
    auto claim = only(Call(statements_.backlog, {}));
    claim.emplace_back(statements_.claim_lane,
                       Row{claimed.claim, std::int64_t{length_us}, begin_at_++ % outbox_lanes});
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->execute(std::move(claim)));
    backlog_.set(static_cast<double>(integer(answers[0].rows.at(0), 0)));
    if (answers[1].rows.empty()) { co_return std::nullopt; }
    claimed.lane = integer(answers[1].rows[0], 0);
    auto read = only(Call(statements_.read_lane, {claimed.lane, events_at_once}));
    RP_CO_TRY(const auto found, co_await transaction->commit(std::move(read)));
    for (const Row& row : found[0].rows) {
        claimed.events.push_back(
            {integer(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4)});
        age_.observe(static_cast<double>(integer(row, 5)) / 1e6);
    }
    co_return claimed;
}

}  // namespace rushproof
