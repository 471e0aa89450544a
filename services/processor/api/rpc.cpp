#include "services/processor/api/rpc.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/runtime/checks.hpp"
#include "core/runtime/message_codec.hpp"
#include "core/runtime/shard.hpp"
#include "core/runtime/uuid.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

std::int64_t microseconds(WallTime time) { return time.time_since_epoch().count(); }
std::int64_t in_microseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void write(const StoredResult& result, wire::Result& message) {
    message.set_number(result.number);
    message.set_message_id(result.id);
    message.set_key(result.key);
    message.set_source(result.source);
    message.set_kind(result.kind);
    message.set_processed_at_us(microseconds(result.processed_at));
    message.set_success(result.success);
    message.set_error(result.error);
    message.set_result(result.result);
    message.set_provider(result.provider);
}

void write(const DeadLetter& letter, wire::DeadLetter& message) {
    message.set_message_id(letter.id);
    message.set_key(letter.key);
    message.set_provider(letter.provider);
    message.set_reason(letter.reason);
    message.set_detail(letter.detail);
    message.set_attempts(letter.attempts);
    message.set_dead_at_us(microseconds(letter.dead_at));
    message.set_replays(letter.replays);
    if (letter.replayed_at) { message.set_replayed_at_us(microseconds(*letter.replayed_at)); }
}

void write_with_body(const DeadLetter& letter, wire::DeadLetter& message) {
    write(letter, message);
    if (const auto kept = unpack(letter.message)) { message.set_body(kept->body); }
}

void write(const QueueRoute& route, wire::Route& message) {
    message.set_epoch(route.epoch);
    message.set_provider(route.provider);
    message.set_previous(route.previous);
    message.set_phase(std::string(to_string(route.phase)));
    message.set_lease_us(in_microseconds(limits::member_lease));
    message.set_age_us(in_microseconds(route.age));
    message.set_left_us(in_microseconds(route.left));
}

void write(const QueueSwitch& ended, wire::Switch& message) {
    message.set_from(ended.from);
    message.set_to(ended.to);
    message.set_begun_at_us(microseconds(ended.begun));
    message.set_duration_us(in_microseconds(ended.length));
    message.set_carried_over(ended.carried);
    message.set_outcome(ended.outcome);
    message.set_reason(ended.reason);
}

Result<std::int64_t> check_limit(std::int64_t limit) {
    if (limit == 0) { return limits::page_default; }
    return check_range("limit", limit, 1, limits::page);
}

// A caller would ask the next instance of what is "unavailable", and the key's messages would lie
// in two queues.
Error of_this_instance(Error error) {
    if (error.code() != "unavailable") { return error; }
    return {error.kind(), "queue-unavailable", error.message()};
}

// The queue of each instance is its own, unless a broker keeps one for all.
void add(wire::Stats& sum, const wire::Stats& stats) {
    wire::QueueStats& queue = *sum.mutable_queue();
    const wire::QueueStats& more = stats.queue();
    queue.set_type(more.type());
    queue.set_total_enqueued(queue.total_enqueued() + more.total_enqueued());
    queue.set_total_dequeued(queue.total_dequeued() + more.total_dequeued());
    if (more.has_capacity()) {
        if (more.has_size()) { queue.set_size(queue.size() + more.size()); }
        queue.set_capacity(queue.capacity() + more.capacity());
        queue.set_unfinished(queue.unfinished() + more.unfinished());
    } else {
        if (more.has_size()) { queue.set_size(more.size()); }
        queue.set_unfinished(more.unfinished());
    }
    if (queue.providers().empty()) { *queue.mutable_providers() = more.providers(); }
    wire::PoolStats& pool = *sum.mutable_pool();
    pool.set_processed(pool.processed() + stats.pool().processed());
    pool.set_errors(pool.errors() + stats.pool().errors());
    pool.set_workers(pool.workers() + stats.pool().workers());
    pool.set_total_duration_ns(pool.total_duration_ns() + stats.pool().total_duration_ns());
    sum.set_healthy(sum.healthy() && stats.healthy());
}

}  // namespace

Api::Api(Environment& environment, Scope& scope, Parts parts, std::uint32_t instances)
    : environment_(environment),
      parts_(parts),
      calls_(environment, scope, "processor.v1.Processor"),
      instances_(instances),
      instance_(uuid_v4(environment.random)) {}

std::vector<RpcMethod> Api::methods() {
    std::vector<RpcMethod> methods;
    methods.push_back(method("Enqueue", &Api::enqueue));
    methods.push_back(method("Lease", &Api::lease));
    methods.push_back(method("SwitchQueue", &Api::switch_queue));
    methods.push_back(method("GetQueue", &Api::get_queue));
    methods.push_back(method("GetResult", &Api::get_result));
    methods.push_back(method("ListProcessed", &Api::list_processed));
    methods.push_back(method("ListDeadLetters", &Api::list_dead_letters));
    methods.push_back(method("ReplayDeadLetter", &Api::replay_dead_letter));
    methods.push_back(method("RecordDivergence", &Api::record_divergence));
    methods.push_back(method("ListDivergences", &Api::list_divergences));
    methods.push_back(method("RepairDivergences", &Api::repair_divergences));
    methods.push_back(method("Workers", &Api::workers));
    methods.push_back(method("GetStats", &Api::get_stats));
    return methods;
}

template <class Request>
RpcMethod Api::method(std::string_view name, Handler<Request> handler) {
    return calls_.method<Request>(name, [this, handler](Context context, Request request) {
        return (this->*handler)(std::move(context), std::move(request));
    });
}

Api::Answer Api::enqueue(Context context, wire::Message request) {
    if (request.id().empty() || request.id().size() > limits::id_length) {
        co_return failure(invalid("a message has an id"));
    }
    std::string provider = std::move(*request.mutable_provider());
    Message message = from_wire(std::move(request));
    const auto accepted = co_await parts_.routing.publish(std::move(context), std::move(message),
                                                          std::move(provider));
    if (!accepted) { co_return failure(of_this_instance(accepted.error())); }
    co_return std::string();  // an Accepted has no members
}

Api::Answer Api::lease(Context context, wire::LeaseRequest request) {
    if (request.publisher().empty() || request.publisher().size() > limits::id_length) {
        co_return failure(invalid("a publisher has an id"));
    }
    RouteMember member{request.publisher(), RouteRole::publisher, request.epoch(), 0, 0};
    RP_CO_TRY(const QueueRoute found,
              co_await parts_.routing.switchboard().renew(std::move(context), std::move(member)));
    wire::Route route;
    write(found, route);
    co_return route.SerializeAsString();
}

Api::Answer Api::switch_queue(Context context, wire::SwitchRequest request) {
    if (!is_provider(request.to())) {
        co_return failure(invalid("to must be memory, sqlite, nats, kafka or composite"));
    }
    const std::chrono::microseconds most = limits::switch_within_max;
    RP_CO_CHECK(check_range("within_us", request.within_us(), 0, most.count()));
    const Duration within = request.within_us() == 0
                                ? Duration(limits::switch_within)
                                : std::chrono::microseconds(request.within_us());
    RP_CO_CHECK(co_await parts_.routing.switchboard().begin(context, request.to(), within));
    co_return co_await queue_state(std::move(context));
}

Api::Answer Api::get_queue(Context context, wire::QueueRequest) {
    return queue_state(std::move(context));
}

Api::Answer Api::queue_state(Context context) {
    QueueSwitchboard& switchboard = parts_.routing.switchboard();
    RP_CO_TRY(const QueueRoute route, co_await switchboard.read(context));
    RP_CO_TRY(const auto ended,
              co_await switchboard.switches(std::move(context), limits::switches));
    wire::QueueState state;
    write(route, *state.mutable_route());
    for (const QueueSwitch& each : ended) { write(each, *state.add_switches()); }
    co_return state.SerializeAsString();
}

Api::Answer Api::get_result(Context context, wire::ResultRequest request) {
    const auto wait =
        std::chrono::microseconds(std::clamp<std::int64_t>(request.wait_us(), 0, 3'600'000'000));
    RP_CO_TRY(const MessageOutcome found,
              co_await parts_.messages.get(std::move(context), request.message_id(), wait));
    wire::Outcome outcome;
    if (const auto* result = std::get_if<StoredResult>(&found)) {
        write(*result, *outcome.mutable_processed());
    } else {
        write_with_body(std::get<DeadLetter>(found), *outcome.mutable_dead());
    }
    co_return outcome.SerializeAsString();
}

Api::Answer Api::list_processed(Context context, wire::ProcessedRequest request) {
    RP_CO_TRY(const std::int64_t limit, check_limit(request.limit()));
    RP_CO_TRY(const auto results,
              co_await parts_.messages.list(std::move(context), request.after(), limit));
    wire::Processed page;
    for (const StoredResult& result : results) { write(result, *page.add_items()); }
    co_return page.SerializeAsString();
}

Api::Answer Api::list_dead_letters(Context context, wire::DeadLettersRequest request) {
    RP_CO_TRY(const std::int64_t limit, check_limit(request.limit()));
    RP_CO_TRY(const auto letters,
              co_await parts_.messages.list_dead(std::move(context), request.after(), limit));
    wire::DeadLetters page;
    for (const DeadLetter& letter : letters) { write(letter, *page.add_items()); }
    if (static_cast<std::int64_t>(letters.size()) == limit) { page.set_next(letters.back().id); }
    co_return page.SerializeAsString();
}

Api::Answer Api::replay_dead_letter(Context context, wire::ReplayRequest request) {
    if (!parts_.routing.is_open()) {
        co_return failure(ErrorKind::retryable, "unavailable", "the queue is not open yet");
    }
    RP_CO_TRY(
        const DeadLetter letter,
        co_await parts_.messages.replay(std::move(context), parts_.routing, request.message_id()));
    wire::DeadLetter message;
    write_with_body(letter, message);
    co_return message.SerializeAsString();
}

Api::Answer Api::record_divergence(Context context, wire::Divergence request) {
    Divergence divergence;
    divergence.message = from_wire(std::move(*request.mutable_message()));
    divergence.lacking.assign(request.lacking().begin(), request.lacking().end());
    divergence.reason = request.reason();
    RP_CO_CHECK(co_await parts_.divergences.record(std::move(context), std::move(divergence)));
    co_return std::string();
}

Api::Answer Api::list_divergences(Context context, wire::DivergencesRequest request) {
    RP_CO_TRY(const std::int64_t limit, check_limit(request.limit()));
    RP_CO_TRY(const auto recorded,
              co_await parts_.divergences.list(std::move(context), request.after(), limit));
    wire::Divergences page;
    for (const RecordedDivergence& divergence : recorded) {
        wire::Divergence& item = *page.add_items();
        item.set_message_id(divergence.id);
        for (const std::string& provider : divergence.lacking) { item.add_lacking(provider); }
        item.set_reason(divergence.reason);
        item.set_recorded_at_us(microseconds(divergence.recorded_at));
    }
    if (static_cast<std::int64_t>(recorded.size()) == limit) { page.set_next(recorded.back().id); }
    co_return page.SerializeAsString();
}

Api::Answer Api::repair_divergences(Context context, wire::RepairRequest request) {
    RP_CO_TRY(const std::int64_t limit, check_limit(request.limit()));
    if (parts_.routing.composite() == nullptr) {
        co_return failure(ErrorKind::permanent, "conflict",
                          "the queue here is no composite, or not open yet");
    }
    RP_CO_TRY(
        const RepairCounts counts,
        co_await parts_.divergences.repair(std::move(context), *parts_.routing.composite(), limit));
    wire::Repaired repaired;
    repaired.set_repaired(counts.repaired);
    repaired.set_failed(counts.failed);
    co_return repaired.SerializeAsString();
}

Api::Answer Api::workers(Context context, wire::WorkersRequest request) {
    const std::int64_t wanted = request.workers();
    if (wanted != 0) {
        RP_CO_CHECK(check_range("workers", wanted, 1, static_cast<std::int64_t>(limits::workers)));
    }
    if (instances_ > 1 && !request.alone()) {
        RP_CO_TRY(const wire::WorkersState all,
                  co_await workers_of_all(std::move(context), std::move(request)));
        co_return all.SerializeAsString();
    }
    if (wanted != 0) { parts_.pool.set_workers(static_cast<std::size_t>(wanted)); }
    wire::WorkersState state;
    state.set_workers(static_cast<std::int64_t>(parts_.pool.workers()));
    state.set_busy(static_cast<std::int64_t>(parts_.pool.busy()));
    co_return state.SerializeAsString();
}

Task<Result<wire::WorkersState>> Api::workers_of_all(Context context,
                                                     wire::WorkersRequest request) {
    request.set_alone(true);
    wire::WorkersState sum;
    for (std::uint32_t i = 0; i < instances_; ++i) {
        const std::string probe = instance_probe(i, instances_);
        const RpcTarget target{"processor.v1.Processor/Workers", probe};
        RP_CO_TRY(const std::string answer,
                  co_await environment_.rpc.call(context, target, request.SerializeAsString()));
        wire::WorkersState state;
        state.ParseFromString(answer);
        sum.set_workers(sum.workers() + state.workers());
        sum.set_busy(sum.busy() + state.busy());
    }
    co_return sum;
}

Api::Answer Api::get_stats(Context context, wire::StatsRequest request) {
    if (request.alone()) {
        const wire::Stats own = co_await own_stats(std::move(context));
        co_return own.SerializeAsString();
    }
    RP_CO_TRY(const wire::Stats all, co_await stats(std::move(context)));
    co_return all.SerializeAsString();
}

Task<Result<wire::Stats>> Api::stats(Context context) {
    if (instances_ == 1) { co_return co_await own_stats(std::move(context)); }
    wire::StatsRequest request;
    request.set_alone(true);
    wire::Stats sum;
    sum.set_healthy(true);
    for (std::uint32_t i = 0; i < instances_; ++i) {
        const std::string probe = instance_probe(i, instances_);
        const RpcTarget target{"processor.v1.Processor/GetStats", probe};
        RP_CO_TRY(const std::string answer,
                  co_await environment_.rpc.call(context, target, request.SerializeAsString()));
        wire::Stats stats;
        stats.ParseFromString(answer);
        add(sum, stats);
    }
    sum.set_instance(instance_);
    co_return sum;
}

Task<wire::Stats> Api::own_stats(Context context) {
    wire::Stats stats;
    stats.set_instance(instance_);
    wire::QueueStats& queue = *stats.mutable_queue();
    queue.set_type(parts_.routing.provider());
    const auto found = co_await parts_.routing.stats(context);
    if (found) {
        queue.set_total_enqueued(found->published);
        queue.set_total_dequeued(found->delivered);
        if (found->size) { queue.set_size(*found->size); }
        if (found->capacity) { queue.set_capacity(*found->capacity); }
        queue.set_unfinished(found->unfinished);
    }
    if (const CompositeQueue* composite = parts_.routing.composite()) {
        for (const CompositeProviderStats& each : composite->provider_stats()) {
            wire::ProviderStats& provider = *queue.add_providers();
            provider.set_name(std::string(each.name));
            provider.set_total_enqueued(each.published);
            provider.set_total_dequeued(each.delivered);
            provider.set_total_failed(each.failed);
            provider.set_down(each.down);
            provider.set_mirror(each.mirror);
        }
    }
    const auto ping = co_await parts_.messages.ping(std::move(context));
    stats.set_healthy(found.has_value() && ping.has_value() && parts_.routing.is_open());
    const EffectCounts& counts = parts_.effects.counts();
    wire::PoolStats& pool = *stats.mutable_pool();
    pool.set_processed(counts.processed);
    pool.set_errors(counts.errors);
    pool.set_workers(static_cast<std::int64_t>(parts_.pool.workers()));
    pool.set_total_duration_ns(counts.spent.count());
    co_return stats;
}

}  // namespace rushproof::processor
