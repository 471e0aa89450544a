#include "services/processor/app/routing.hpp"

#include <algorithm>
#include <utility>

#include "core/base/hash.hpp"
#include "core/runtime/message_codec.hpp"
#include "core/runtime/retry.hpp"
#include "core/runtime/uuid.hpp"
#include "services/processor/domain/work.hpp"
#include "services/processor/limits.hpp"
#include "services/processor/store/statements.hpp"

namespace rushproof::processor {

namespace {

RouteMembership::Options membership_options() {
    RouteMembership::Options options;
    options.lease = limits::member_lease;
    return options;
}

QueueOptions with_provider(QueueOptions options, std::string provider) {
    options.provider = std::move(provider);
    return options;
}

}  // namespace

Routing::Routing(Environment& environment, const Options& options, Pool& pool,
                 Divergences& divergences)
    : environment_(environment),
      options_(options),
      pool_(pool),
      id_(uuid_v4(environment.random)),
      switchboard_(environment, statements::route(), {.lease = limits::lease},
                   [this](Context context, std::string provider) {
                       return reach(std::move(context), std::move(provider));
                   }),
      membership_(
          environment,
          [this](Context context, std::int64_t epoch) { return renew(std::move(context), epoch); },
          membership_options()),
      divergences_(divergences),
      following_(environment.spawner),
      scope_(environment.spawner) {}

void Routing::start() { scope_.start("processor.route", prepare()); }

Task<void> Routing::prepare() {
    for (int tries = 1;; ++tries) {
        const auto prepared =
            co_await switchboard_.prepare(step_context(), options_.queue.provider);
        if (prepared) { break; }
        co_await pause(tries, prepared.error());
    }
    co_await membership_.renew();
    scope_.start("processor.renew", membership_.run());
    scope_.start("processor.advance", advance_for_ever());
    if (!ending_) { following_.start("processor.follow", follow()); }
}

Task<void> Routing::advance_for_ever() {
    while (true) {
        const auto route = this->route();
        const bool switching = route && route->phase != RoutePhase::steady;
        if (switching) {
            const auto advanced = co_await switchboard_.advance(step_context());
            if (!advanced) {
                environment_.telemetry.log(LogLevel::warning, "a switch of the queue is held up",
                                           {{"code", advanced.error().code()}});
            }
        }
        co_await sleep_for(environment_.clock,
                           switching ? limits::look_while_switching : limits::look);
    }
}

// What was begun on the route before is held on to until nothing acts on it any more.
Task<void> Routing::follow() {
    std::optional<RouteMembership::Work> held;
    for (int tries = 1; !ending_;) {
        auto work = membership_.begin();
        if (!work) {
            co_await sleep_for(environment_.clock, limits::look_while_switching);
            continue;
        }
        const std::string wanted(consumes_from(work->route()));
        if (wanted != provider_ || !source_) {
            co_await leave_source();
            const auto changed = co_await take_from(wanted);
            if (!changed) {
                held.reset();
                co_await pause(tries++, changed.error());
                continue;
            }
        }
        tries = 1;
        co_await look_whether_drained(work->route());
        const bool switching = work->route().phase != RoutePhase::steady;
        held.reset();
        held.emplace(*std::move(work));
        co_await sleep_for(environment_.clock,
                           switching ? limits::look_while_switching : limits::look);
    }
}

Task<void> Routing::leave_source() {
    if (!source_) { co_return; }
    co_await pool_.finish();
    co_await source_->consumer->close();
    source_.reset();
}

Task<Result<void>> Routing::take_from(std::string provider) {
    RP_CO_TRY(auto queue, co_await open(step_context(), provider));
    RP_CO_TRY(auto consumer, co_await queue->join(step_context(), options_.queue.group));
    source_.emplace(Source{std::move(queue), std::move(consumer)});
    provider_ = std::move(provider);
    // What a broker keeps is left to it when this process ends.
    const bool keeps = source_->queue->features().survives_kill;
    pool_.start(*source_->queue, *source_->consumer,
                [this, keeps] { return !(ending_ && keeps) && membership_.begin().has_value(); });
    co_return Result<void>();
}

Task<void> Routing::look_whether_drained(const QueueRoute& route) {
    if (!drains(route) || drained_ == route.epoch) { co_return; }
    if (draining_ != route.epoch) {
        draining_ = route.epoch;
        finished_before_ = pool_.finished();
    }
    const std::int64_t epoch = route.epoch;
    const auto left = co_await unfinished(route);
    const bool empty = left && *left == 0;
    if (!empty && !mutated(options_.mutant, Mutant::m31_switch_without_drain)) { co_return; }
    drained_ = epoch;
    carried_ = static_cast<std::int64_t>(pool_.finished() - finished_before_);
}

Task<Result<std::int64_t>> Routing::unfinished(const QueueRoute& route) {
    const std::string_view part = goes_on_in(route, options_.queue);
    if (!part.empty()) {
        co_return co_await composite()->unfinished_without(step_context(), options_.queue.group,
                                                           part);
    }
    RP_CO_TRY(const QueueStats stats,
              co_await source_->queue->stats(step_context(), options_.queue.group));
    co_return stats.unfinished;
}

Task<Result<QueueRoute>> Routing::renew(Context context, std::int64_t epoch) {
    RouteMember member{id_, RouteRole::consumer, epoch, drained_, carried_};
    return switchboard_.renew(std::move(context), std::move(member));
}

Task<Result<std::shared_ptr<MessageQueue>>> Routing::open(Context context, std::string provider) {
    const auto known = open_.find(provider);
    if (known != open_.end()) { co_return known->second.queue; }
    auto options = with_provider(options_.queue, provider);
    QueueOwner owner;
    owner.tables = &statements::queue();
    owner.record = [this](Context its_context, Divergence divergence) {
        return divergences_.record(std::move(its_context), std::move(divergence));
    };
    RP_CO_TRY(OpenedQueue opened, co_await open_queue(environment_, std::move(context),
                                                      std::move(options), std::move(owner)));
    // Another call may have been faster.
    co_return open_.try_emplace(std::move(provider), std::move(opened)).first->second.queue;
}

CompositeQueue* Routing::composite() {
    const auto found = open_.find("composite");
    return found == open_.end() ? nullptr : found->second.composite.get();
}

// A group that was joined before the first message misses none.
Task<Result<void>> Routing::reach(Context context, std::string provider) {
    if (!is_provider(provider)) {
        co_return failure(ErrorKind::permanent, "unknown-provider",
                          "there is no queue called " + provider);
    }
    RP_CO_TRY(const auto queue, co_await open(context, std::move(provider)));
    RP_CO_CHECK(co_await queue->stats(std::move(context), options_.queue.group));
    co_return Result<void>();
}

Task<Result<void>> Routing::publish(Context context, Message message, std::string provider) {
    std::optional<RouteMembership::Work> work;
    if (provider.empty()) {
        RP_CO_TRY(auto begun, membership_.begin());
        work.emplace(std::move(begun));
        provider = publishes_to(work->route(), options_.queue);
        if (provider.empty()) {
            co_return failure(ErrorKind::retryable, "queue-switching",
                              "nobody may publish during this step of a switch");
        }
    }
    const auto options = with_provider(options_.queue, provider);
    const std::string order = message.key.empty() ? message.id : message.key;
    if (is_embedded(options) && !is_mine(order)) {
        const RpcTarget target{"processor.v1.Processor/Enqueue", order};
        auto wire = to_wire(message);
        wire.set_provider(std::move(provider));
        RP_CO_CHECK(
            co_await environment_.rpc.call(std::move(context), target, wire.SerializeAsString()));
    } else {
        RP_CO_TRY(const auto queue, co_await open(context, std::move(provider)));
        RP_CO_CHECK(co_await queue->publish(std::move(context), std::move(message)));
    }
    if (work && environment_.clock.monotonic() >= work->until()) {
        co_return failure(ErrorKind::unknown_outcome, "lease-expired",
                          "it was accepted too late to know that it will be processed");
    }
    co_return Result<void>();
}

// As a caller's Rpc picks the instance.
bool Routing::is_mine(const std::string& order) const {
    return options_.instances == 1 || hash64(order) % options_.instances == options_.instance;
}

Task<Result<QueueStats>> Routing::stats(Context context) {
    if (!source_) {
        co_return failure(ErrorKind::retryable, "unavailable", "the queue is not open yet");
    }
    const std::shared_ptr<MessageQueue> queue = source_->queue;
    co_return co_await queue->stats(std::move(context), options_.queue.group);
}

Result<QueueRoute> Routing::route() const {
    RP_TRY(const auto work, membership_.begin());
    return work.route();
}

Task<void> Routing::stop(Duration grace) {
    ending_ = true;
    co_await following_.join();
    const MonotonicTime give_up = environment_.clock.monotonic() + grace;
    if (source_) {
        co_await pool_.stop(!source_->queue->features().survives_kill, grace);
        co_await source_->consumer->close();
    }
    // Messages that went to the next queue already, and would end with this process.
    for (const auto& [provider, opened] : open_) {
        const std::shared_ptr<MessageQueue> queue = opened.queue;
        const auto stats = co_await queue->stats(step_context(), options_.queue.group);
        const bool would_lose = !queue->features().survives_kill && stats && stats->unfinished > 0;
        if (!would_lose || provider == provider_) { continue; }
        auto consumer = co_await queue->join(step_context(), options_.queue.group);
        if (!consumer) { continue; }
        pool_.start(*queue, **consumer, [] { return true; });
        co_await pool_.stop(true, give_up - environment_.clock.monotonic());
        co_await (*consumer)->close();
    }
    scope_.cancel();
    co_await scope_.join();
    if (source_) { source_->consumer.reset(); }
    for (const auto& [provider, opened] : open_) { co_await opened.stop(); }
    co_await switchboard_.leave(step_context(), id_);
}

// Of the queues that end with this process.
Task<std::int64_t> Routing::left_behind() {
    std::int64_t left = 0;
    for (const auto& [provider, opened] : open_) {
        const std::shared_ptr<MessageQueue> queue = opened.queue;
        if (queue->features().survives_kill) { continue; }
        const auto stats = co_await queue->stats(step_context(), options_.queue.group);
        if (stats) { left += stats->unfinished; }
    }
    co_return left;
}

Task<void> Routing::pause(int tries, const Error& error) {
    if (error.code() != last_trouble_) {
        last_trouble_ = error.code();
        environment_.telemetry.log(LogLevel::warning, "the queue cannot be opened",
                                   {{"code", error.code()}, {"what", error.message()}});
    }
    const Duration pause = back_off(limits::retry_policy, tries, environment_.random);
    co_await sleep_for(environment_.clock, pause);
}

Context Routing::step_context() const {
    return Context(environment_.clock.monotonic() + limits::step_timeout);
}

}  // namespace rushproof::processor
