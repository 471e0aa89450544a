#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "core/runtime/outbox.hpp"
#include "core/runtime/transactions.hpp"

namespace rushproof {

namespace {

// Between two looks whether others have delivered what they claimed.
constexpr Duration look_again_after = std::chrono::milliseconds(100);

std::optional<OutboxEvent> event_of(LoggedRow row) {
    OutboxEvent event;
    event.age = row.age;
    for (auto& [name, value] : row.columns) {
        if (name == "number") {
            std::from_chars(value.data(), value.data() + value.size(), event.number);
        }
        if (name == "id") { event.id = std::move(value); }
        if (name == "aggregate") { event.aggregate = std::move(value); }
        if (name == "kind") { event.kind = std::move(value); }
        if (name == "body") { event.body = std::move(value); }
    }
    if (event.number == 0 || event.id.empty() || event.aggregate.empty()) { return std::nullopt; }
    return event;
}

}  // namespace

Task<void> OutboxRelay::run_by_log(Duration interval, Duration timeout) {
    Round round = [this, interval, timeout]() -> Task<Result<void>> {
        auto followed = co_await follow_log(interval, timeout);
        reads_log_.set(0);
        // Whoever waits for its turn has no trouble.
        if (!followed && followed.error().code() == "log-in-use") { followed = {}; }
        co_return followed;
    };
    co_await repeat(interval, timeout, std::move(round));
}

// Until something fails.  Then it is given up, so that another may read it, and what was not
// confirmed comes again.
Task<Result<void>> OutboxRelay::follow_log(Duration interval, Duration timeout) {
    Clock& clock = environment_.clock;
    Context opening(clock.monotonic() + timeout);
    RP_CO_TRY(const auto log,
              co_await environment_.database.open_log(std::move(opening), role_ + "_outbox"));
    reads_log_.set(1);
    RP_CO_CHECK(co_await deliver_what_waits(timeout));
    while (true) {
        Context waiting(clock.monotonic() + interval);
        RP_CO_TRY(auto rows, co_await log->next(std::move(waiting)));
        const bool is_quiet = rows.empty();
        Context delivering(clock.monotonic() + timeout);
        RP_CO_TRY(auto events, co_await waiting_of(delivering, std::move(rows)));
        if (!events.empty()) {
            std::vector<Call> nothing;
            RP_CO_CHECK(
                co_await deliver(std::move(delivering), std::move(events), std::move(nothing)));
        }
        if (is_quiet) { continue; }
        Context confirming(clock.monotonic() + timeout);
        RP_CO_CHECK(co_await log->confirm(std::move(confirming)));
    }
}

// What the log tells again may be delivered already, or dead.
Task<Result<std::vector<OutboxEvent>>> OutboxRelay::waiting_of(Context context,
                                                               std::vector<LoggedRow> rows) {
    std::vector<OutboxEvent> events;
    std::vector<std::int64_t> numbers;
    for (LoggedRow& row : rows) {
        auto event = event_of(std::move(row));
        if (!event) {
            co_return failure(ErrorKind::permanent, "malformed",
                              "the log tells of something that is no event");
        }
        numbers.push_back(event->number);
        events.push_back(*std::move(event));
    }
    auto ask =
        pipeline(Call(statements_.backlog, Row()), Call(statements_.waiting, {std::move(numbers)}));
    RP_CO_TRY(const auto found,
              co_await read_only(environment_.database, std::move(context), std::move(ask)));
    show_backlog(found[0].rows.at(0));
    std::set<std::int64_t> waiting;
    for (const Row& row : found[1].rows) { waiting.insert(integer(row, 0)); }
    std::erase_if(events,
                  [&](const OutboxEvent& event) { return !waiting.contains(event.number); });
    co_return events;
}

// All that waits now: when it returns well, an event that comes later finds none of its aggregate
// before it undelivered.
Task<Result<void>> OutboxRelay::deliver_what_waits(Duration timeout) {
    Clock& clock = environment_.clock;
    RP_CO_TRY(auto left, co_await ends(Context(clock.monotonic() + timeout)));
    const std::int64_t last = left.second;
    while (left.first != 0 && left.first <= last) {
        RP_CO_TRY(const std::size_t taken,
                  co_await deliver_some(Context(clock.monotonic() + timeout)));
        // Another relay has claimed it.
        if (taken == 0) { co_await sleep_for(clock, look_again_after); }
        RP_CO_TRY(left, co_await ends(Context(clock.monotonic() + timeout)));
    }
    co_return Result<void>();
}

Task<Result<std::pair<std::int64_t, std::int64_t>>> OutboxRelay::ends(Context context) {
    auto ask = pipeline(Call(statements_.ends, Row()));
    RP_CO_TRY(const auto found,
              co_await read_only(environment_.database, std::move(context), std::move(ask)));
    const Row& row = found[0].rows.at(0);
    co_return std::pair(integer(row, 0), integer(row, 1));
}

}  // namespace rushproof
