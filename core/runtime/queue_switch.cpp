#include "core/runtime/queue_switch.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"
#include "core/runtime/transactions.hpp"

namespace rushproof {

namespace {

constexpr Duration forget_after = std::chrono::hours(1);

std::int64_t in_microseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

std::string_view word(RouteRole role) {
    return role == RouteRole::publisher ? "publisher" : "consumer";
}

QueueRoute route_of(const Row& row) {
    const auto phase = parse_route_phase(text(row, 3));
    RP_ASSERT(phase);
    return {.epoch = integer(row, 0),
            .provider = text(row, 1),
            .previous = text(row, 2),
            .phase = *phase,
            .age = std::chrono::microseconds(integer(row, 4)),
            .left = std::chrono::microseconds(integer(row, 5))};
}

QueueSwitch switch_of(const Row& row) {
    return {.from = text(row, 0),
            .to = text(row, 1),
            .begun = wall_time(row, 2),
            .length = std::chrono::microseconds(integer(row, 3)),
            .carried = integer(row, 4),
            .outcome = text(row, 5),
            .reason = text(row, 6)};
}

}  // namespace

QueueSwitchboard::QueueSwitchboard(Environment& environment, const QueueRouteSql& statements,
                                   Options options, Open open)
    : environment_(environment),
      statements_(statements),
      options_(options),
      open_(std::move(open)) {}

Task<Result<void>> QueueSwitchboard::prepare(Context context, std::string provider) {
    Call create(statements_.create, {std::move(provider)});
    RP_CO_CHECK(co_await commit(std::move(context), std::move(create)));
    co_return Result<void>();
}

Task<Result<QueueRoute>> QueueSwitchboard::read(Context context) {
    auto calls = pipeline(Call(statements_.read, {}));
    RP_CO_TRY(const auto answers,
              co_await read_only(environment_.database, std::move(context), std::move(calls)));
    if (answers[0].rows.empty()) {
        co_return failure(ErrorKind::retryable, "no-route", "no queue has been chosen yet");
    }
    co_return route_of(answers[0].rows[0]);
}

Task<Result<QueueRoute>> QueueSwitchboard::renew(Context context, RouteMember member) {
    Row arguments{std::move(member.id), std::string(word(member.role)),
                  member.epoch,         member.drained,
                  member.carried,       in_microseconds(options_.lease)};
    Call renew(statements_.renew, std::move(arguments));
    RP_CO_CHECK(co_await commit(context, std::move(renew)));
    co_return co_await read(std::move(context));
}

Task<Result<void>> QueueSwitchboard::leave(Context context, std::string member) {
    Call leave(statements_.leave, {std::move(member)});
    RP_CO_CHECK(co_await commit(std::move(context), std::move(leave)));
    co_return Result<void>();
}

Task<Result<std::size_t>> QueueSwitchboard::forget(Context context) {
    Call forget(statements_.forget, {in_microseconds(forget_after)});
    RP_CO_TRY(const std::int64_t gone, co_await commit(std::move(context), std::move(forget)));
    co_return static_cast<std::size_t>(gone);
}

Task<Result<QueueRoute>> QueueSwitchboard::begin(Context context, std::string to, Duration within) {
    RP_CO_TRY(const QueueRoute route, co_await read(context));
    if (route.phase != RoutePhase::steady) {
        co_return failure(
            ErrorKind::permanent, "switch-under-way",
            "a switch from " + route.previous + " to " + route.provider + " has not ended yet");
    }
    if (route.provider == to) {
        co_return failure(ErrorKind::permanent, "already-there", to + " is used already");
    }
    Call begin(statements_.begin, {route.epoch, std::move(to), in_microseconds(within)});
    RP_CO_TRY(const std::int64_t changed, co_await commit(context, std::move(begin)));
    if (changed == 0) {
        co_return failure(ErrorKind::permanent, "switch-under-way",
                          "another switch was begun at the same time");
    }
    co_return co_await read(std::move(context));
}

Task<Result<QueueRoute>> QueueSwitchboard::advance(Context context) {
    RP_CO_TRY(QueueRoute route, co_await read(context));
    if (route.phase == RoutePhase::steady) { co_return route; }
    if (route.phase == RoutePhase::opening) {
        co_return co_await try_to_open(std::move(context), std::move(route));
    }
    const bool forward = route.phase == RoutePhase::moving || route.phase == RoutePhase::draining;
    if (forward && route.left <= Duration::zero()) {
        co_return co_await step(std::move(context), std::move(route), RoutePhase::stopping);
    }
    RP_CO_TRY(const Progress now, co_await progress(context, route.epoch));
    const bool ready = drains(route) ? now.drained : now.all_there;
    if (!ready) { co_return route; }
    switch (route.phase) {
        case RoutePhase::moving:
            co_return co_await step(std::move(context), std::move(route), RoutePhase::draining);
        case RoutePhase::stopping:
            co_return co_await step(std::move(context), std::move(route), RoutePhase::returning);
        case RoutePhase::returning:
            co_return co_await step(std::move(context), std::move(route),
                                    RoutePhase::returning_rest);
        case RoutePhase::returning_rest: {
            std::string reason = "it did not end within its time";
            co_return co_await give_up(std::move(context), std::move(route), std::move(reason));
        }
        default: co_return co_await finish(std::move(context), std::move(route), now.carried);
    }
}

// Nothing went to the new provider yet, so there is nothing to bring back.
Task<Result<QueueRoute>> QueueSwitchboard::try_to_open(Context context, QueueRoute route) {
    auto opened = co_await open_(context, route.provider);
    if (opened) {
        co_return co_await step(std::move(context), std::move(route), RoutePhase::moving);
    }
    const bool hopeless =
        opened.error().kind() == ErrorKind::permanent || route.left <= Duration::zero();
    if (!hopeless) { co_return route; }
    std::string reason = opened.error().message();
    co_return co_await give_up(std::move(context), std::move(route), std::move(reason));
}

Task<Result<QueueSwitchboard::Progress>> QueueSwitchboard::progress(Context context,
                                                                    std::int64_t epoch) {
    auto calls = pipeline(Call(statements_.members, {}));
    RP_CO_TRY(const auto answers,
              co_await read_only(environment_.database, std::move(context), std::move(calls)));
    Progress result;
    bool consumed = false;
    for (const Row& row : answers[0].rows) {
        result.all_there = result.all_there && integer(row, 2) >= epoch;
        if (text(row, 1) != word(RouteRole::consumer)) { continue; }
        consumed = true;
        result.drained = result.drained && integer(row, 3) >= epoch;
        result.carried += integer(row, 4);
    }
    result.drained = result.drained && consumed;
    co_return result;
}

Task<Result<QueueRoute>> QueueSwitchboard::step(Context context, QueueRoute route,
                                                RoutePhase next) {
    Call advance(statements_.advance, {route.epoch, std::string(to_string(next))});
    RP_CO_CHECK(co_await commit(context, std::move(advance)));
    co_return co_await read(std::move(context));
}

Task<Result<QueueRoute>> QueueSwitchboard::finish(Context context, QueueRoute route,
                                                  std::int64_t carried) {
    Row record{route.epoch + 1, route.previous,      route.provider,
               carried,         std::string("done"), std::string()};
    std::string provider = route.provider;
    return end(std::move(context), std::move(route), std::move(provider), std::move(record));
}

Task<Result<QueueRoute>> QueueSwitchboard::give_up(Context context, QueueRoute route,
                                                   std::string reason) {
    environment_.telemetry.log(LogLevel::warning, "a switch of the queue was rolled back",
                               {{"to", route.provider}, {"reason", reason}});
    Row record{route.epoch + 1,
               route.previous,
               route.provider,
               std::int64_t{0},
               std::string("rolled-back"),
               std::move(reason)};
    std::string provider = route.previous;
    return end(std::move(context), std::move(route), std::move(provider), std::move(record));
}

Task<Result<QueueRoute>> QueueSwitchboard::end(Context context, QueueRoute route,
                                               std::string provider, Row record) {
    auto calls = pipeline(Call(statements_.settle, {route.epoch, std::move(provider)}),
                          Call(statements_.record, std::move(record)));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(context));
    RP_CO_CHECK(co_await transaction->commit(std::move(calls)));
    co_return co_await read(std::move(context));
}

Task<Result<std::int64_t>> QueueSwitchboard::commit(Context context, Call call) {
    auto calls = pipeline(std::move(call));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(calls)));
    co_return answers[0].affected;
}

Task<Result<std::vector<QueueSwitch>>> QueueSwitchboard::switches(Context context,
                                                                  std::int64_t limit) {
    auto calls = pipeline(Call(statements_.switches, {limit}));
    RP_CO_TRY(const auto answers,
              co_await read_only(environment_.database, std::move(context), std::move(calls)));
    std::vector<QueueSwitch> result;
    for (const Row& row : answers[0].rows) { result.push_back(switch_of(row)); }
    co_return result;
}

}  // namespace rushproof
