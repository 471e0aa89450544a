#include "core/runtime/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/base/hash.hpp"
#include "core/runtime/retry.hpp"
#include "core/runtime/uuid.hpp"

namespace rushproof {

namespace {

constexpr std::int64_t events_at_once = 100;
constexpr Duration claim_margin = std::chrono::milliseconds(500);
constexpr int doublings_max = 2;  // of the pause while deliveries fail

std::vector<Call> only(Call call) {
    std::vector<Call> calls;
    calls.push_back(std::move(call));
    return calls;
}

Task<Deliveries> take_all(const TakeEvents& take, Context context,
                          std::vector<OutboxEvent> events) {
    std::vector<std::int64_t> numbers;
    for (const OutboxEvent& event : events) { numbers.push_back(event.number); }
    const auto taken = co_await take(std::move(context), std::move(events));
    Deliveries deliveries;
    if (taken) {
        deliveries.done = std::move(numbers);
    } else {
        deliveries.error = taken.error();
    }
    co_return deliveries;
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

DeliverEvents all_or_none(TakeEvents take) {
    return [take = std::move(take)](Context context, std::vector<OutboxEvent> events) {
        return take_all(take, std::move(context), std::move(events));
    };
}

OutboxRelay::OutboxRelay(Environment& environment, const OutboxStatements& statements,
                         std::string_view role, DeliverEvents deliver)
    : environment_(environment),
      statements_(statements),
      role_(role),
      deliver_(std::move(deliver)),
      backlog_(environment.telemetry.gauge(std::string(role) + "_outbox_backlog",
                                           "Events that wait for their delivery")),
      dead_(environment.telemetry.gauge(std::string(role) + "_outbox_dead",
                                        "Events that are not delivered any more")),
      reads_log_(environment.telemetry.gauge(
          std::string(role) + "_outbox_reads_log",
          "Is this the process that delivers what the database's log tells?")),
      age_(environment.telemetry.duration(std::string(role) + "_outbox_seconds",
                                          "From an event's transaction to its delivery")),
      failed_(environment.telemetry.counter(std::string(role) + "_failed_deliveries_total",
                                            "Deliveries of events that were not finished")),
      died_(environment.telemetry.counter(std::string(role) + "_dead_events_total",
                                          "Events that this process gave up")) {}

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
    const std::size_t count = claimed->events.size();
    auto release =
        only(Call(statements_.release_lane, Row{claimed->lane, std::move(claimed->claim)}));
    RP_CO_CHECK(
        co_await deliver(std::move(context), std::move(claimed->events), std::move(release)));
    co_return count;
}

Task<Result<void>> OutboxRelay::deliver(Context context, std::vector<OutboxEvent> events,
                                        std::vector<Call> last) {
    const MonotonicTime began = environment_.clock.monotonic();
    std::map<std::int64_t, Duration> ages;
    for (const OutboxEvent& event : events) { ages[event.number] = event.age; }
    // Whatever was delivered must be removed before the claim runs out.
    Context delivery = context.until(context.deadline - (context.deadline - began) / 4);
    Deliveries deliveries = co_await deliver_(std::move(delivery), std::move(events));
    const Duration taken = environment_.clock.monotonic() - began;
    for (const std::int64_t number : deliveries.done) {
        age_.observe(std::chrono::duration<double>(ages.at(number) + taken).count());
    }
    std::optional<Error> error = deliveries.error;
    if (!error && !deliveries.refused.empty()) {
        error.emplace(ErrorKind::permanent, "refused", deliveries.refused.front().reason);
    }
    RP_CO_CHECK(co_await settle(std::move(context), std::move(deliveries), std::move(last)));
    if (error) { co_return failure(*std::move(error)); }
    co_return Result<void>();
}

Task<Result<void>> OutboxRelay::settle(Context context, Deliveries deliveries,
                                       std::vector<Call> last) {
    const auto& refused = deliveries.refused;
    std::vector<Call> calls;
    for (const Deliveries::Refusal& refusal : refused) {
        calls.emplace_back(statements_.refuse,
                           Row{refusal.number, refusal.reason, outbox_attempts_max});
    }
    if (!deliveries.done.empty()) {
        calls.emplace_back(statements_.remove, Row{std::move(deliveries.done)});
    }
    calls.insert(calls.end(), std::make_move_iterator(last.begin()),
                 std::make_move_iterator(last.end()));
    if (calls.empty()) { co_return Result<void>(); }
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(calls)));
    for (std::size_t i = 0; i < refused.size(); ++i) {
        if (answers[i].rows.empty() || integer(answers[i].rows[0], 0) == 0) { continue; }
        died_.add();
        environment_.telemetry.log(
            LogLevel::error, "an event is dead",
            {{"number", std::to_string(refused[i].number)}, {"reason", refused[i].reason}});
    }
    co_return Result<void>();
}

Task<void> OutboxRelay::run(Duration interval, Duration timeout, DeliverSome some) {
    Round round = [this, timeout, &some] { return deliver_all(timeout, some); };
    co_await repeat(interval, timeout, std::move(round));
}

// Relays that start together should not look together.
Task<void> OutboxRelay::repeat(Duration interval, Duration timeout, Round round) {
    Clock& clock = environment_.clock;
    const Duration first = jitter(environment_.random, interval);
    co_await sleep_for(clock, first);
    bool prepared = false;
    int failures = 0;
    while (true) {
        Result<void> done;
        if (!prepared) {
            done = co_await prepare(Context(clock.monotonic() + timeout));
            prepared = done.has_value();
        }
        if (prepared) { done = co_await round(); }
        show(done, failures);
        failures = done ? 0 : failures + 1;
        const Duration pause = interval * (1 << std::clamp(failures - 1, 0, doublings_max));
        co_await sleep_for(clock, pause);
    }
}

Task<Result<void>> OutboxRelay::deliver_all(Duration timeout, const DeliverSome& some) {
    while (true) {
        RP_CO_TRY(const std::size_t taken,
                  co_await some(Context(environment_.clock.monotonic() + timeout)));
        if (taken == 0) { co_return Result<void>(); }
    }
}

// Once per trouble, not per try.
void OutboxRelay::show(const Result<void>& delivered, int failures) {
    if (!delivered) { failed_.add(); }
    if (!delivered && failures == 0) {
        environment_.telemetry.log(
            LogLevel::warning, "events wait",
            {{"code", delivered.error().code()}, {"reason", delivered.error().message()}});
    } else if (delivered && failures > 0) {
        environment_.telemetry.log(LogLevel::info, "events are delivered again",
                                   {{"failures", std::to_string(failures)}});
    }
}

void OutboxRelay::show_backlog(const Row& counts) {
    backlog_.set(static_cast<double>(integer(counts, 0)));
    dead_.set(static_cast<double>(integer(counts, 1)));
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
    show_backlog(answers[0].rows.at(0));
    if (answers[1].rows.empty()) { co_return std::nullopt; }
    claimed.lane = integer(answers[1].rows[0], 0);
    auto read = only(Call(statements_.read_lane, {claimed.lane, events_at_once}));
    RP_CO_TRY(const auto found, co_await transaction->commit(std::move(read)));
    for (const Row& row : found[0].rows) {
        claimed.events.push_back({integer(row, 0), text(row, 1), text(row, 2), text(row, 3),
                                  text(row, 4), std::chrono::microseconds(integer(row, 5))});
    }
    co_return claimed;
}

}  // namespace rushproof
