#include "services/ingest/app/route.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/protocol/processor.pb.h"
#include "core/runtime/message_codec.hpp"
#include "core/runtime/uuid.hpp"
#include "services/ingest/limits.hpp"

namespace rushproof::ingest {

namespace {

namespace wire = ::processor::v1;

RouteMembership::Options membership_options() {
    RouteMembership::Options options;
    options.lease = limits::lease;
    return options;
}

}  // namespace

Route::Route(Environment& environment, QueueOptions options)
    : environment_(environment),
      options_(std::move(options)),
      id_(uuid_v4(environment.random)),
      membership_(
          environment,
          [this](Context context, std::int64_t epoch) { return renew(std::move(context), epoch); },
          membership_options()) {}

Task<Result<QueueRoute>> Route::renew(Context context, std::int64_t epoch) {
    wire::LeaseRequest request;
    request.set_publisher(id_);
    request.set_epoch(epoch);
    const RpcTarget target{"processor.v1.Processor/Lease", id_};
    RP_CO_TRY(
        const std::string answer,
        co_await environment_.rpc.call(std::move(context), target, request.SerializeAsString()));
    wire::Route read;
    const bool readable = read.ParseFromString(answer);
    const auto phase = parse_route_phase(read.phase());
    if (!readable || !phase) {
        co_return failure(ErrorKind::permanent, "malformed",
                          "the processor speaks of a route in words that are not known here");
    }
    QueueRoute route;
    route.epoch = read.epoch();
    route.provider = read.provider();
    route.previous = read.previous();
    route.phase = *phase;
    co_return route;
}

Task<Result<void>> Route::publish(Context context, Message message) {
    auto published = co_await publish_once(context, message);
    const bool may_be_there = !published && published.error().kind() == ErrorKind::unknown_outcome;
    if (!may_be_there || environment_.clock.monotonic() >= context.deadline) {
        co_return published;
    }
    // Once more: a connection that ended under the call is the usual reason.
    auto again = co_await publish_once(std::move(context), message);
    if (again) { co_return again; }
    co_return published;  // still unknown, whatever the last one said
}

// What is accepted after the lease has run out may lie in a queue that nobody looks into any more.
Task<Result<void>> Route::publish_once(Context context, const Message& message) {
    if (!membership_.begin()) { RP_CO_CHECK(co_await membership_.renew()); }
    RP_CO_TRY(const auto work, membership_.begin());
    std::string provider(publishes_to(work.route(), options_));
    if (provider.empty()) {
        co_return failure(ErrorKind::retryable, "queue-switching",
                          "nobody may publish during this step of a switch");
    }
    Context within = context.until(work.until());
    RP_CO_CHECK(co_await publish_to(std::move(within), message, std::move(provider)));
    if (environment_.clock.monotonic() >= work.until()) {
        co_return failure(ErrorKind::unknown_outcome, "lease-expired",
                          "it was accepted too late to know that it will be processed");
    }
    co_return Result<void>();
}

// By the processor, which can repair it.
Task<Result<void>> Route::record(Context context, Divergence divergence) {
    wire::Divergence request;
    *request.mutable_message() = to_wire(divergence.message);
    for (const std::string& provider : divergence.lacking) { request.add_lacking(provider); }
    request.set_reason(divergence.reason);
    const RpcTarget target{"processor.v1.Processor/RecordDivergence", divergence.message.id};
    RP_CO_CHECK(
        co_await environment_.rpc.call(std::move(context), target, request.SerializeAsString()));
    co_return Result<void>();
}

Task<Result<void>> Route::publish_to(Context context, const Message& message,
                                     std::string provider) {
    if (lives_in_processor(provider)) {
        co_return co_await call_processor(std::move(context), message, std::move(provider));
    }
    RP_CO_TRY(const auto queue, co_await open(context, std::move(provider)));
    co_return co_await queue->publish(std::move(context), message);
}

Task<Result<void>> Route::call_processor(Context context, const Message& message,
                                         std::string provider) {
    const std::string& order = message.key.empty() ? message.id : message.key;
    const RpcTarget target{"processor.v1.Processor/Enqueue", order};
    wire::Message request = to_wire(message);
    request.set_provider(std::move(provider));
    RP_CO_CHECK(
        co_await environment_.rpc.call(std::move(context), target, request.SerializeAsString()));
    co_return Result<void>();
}

bool Route::lives_in_processor(const std::string& provider) const {
    QueueOptions options = options_;
    options.provider = provider;
    return is_embedded(options);
}

Task<Result<std::shared_ptr<MessageQueue>>> Route::open(Context context, std::string provider) {
    const auto known = open_.find(provider);
    if (known != open_.end()) { co_return known->second; }
    QueueOptions options = options_;
    options.provider = provider;
    QueueOwner owner;
    owner.record = [this](Context its_context, Divergence divergence) {
        return record(std::move(its_context), std::move(divergence));
    };
    RP_CO_TRY(OpenedQueue opened, co_await open_queue(environment_, std::move(context),
                                                      std::move(options), std::move(owner)));
    // Another call may have been faster.
    co_return open_.try_emplace(std::move(provider), std::move(opened.queue)).first->second;
}

Task<bool> Route::healthy(Context context) {
    const auto work = membership_.begin();
    if (!work) { co_return false; }
    std::string provider(publishes_to(work->route(), options_));
    if (provider.empty()) { co_return false; }
    if (!lives_in_processor(provider)) {
        const auto queue = co_await open(context, std::move(provider));
        if (!queue) { co_return false; }
        const auto stats = co_await (*queue)->stats(std::move(context), options_.group);
        co_return stats.has_value();
    }
    const RpcTarget target{"processor.v1.Processor/GetStats", {}};
    const auto answer = co_await environment_.rpc.call(std::move(context), target, std::string());
    wire::Stats stats;
    co_return answer&& stats.ParseFromString(*answer) && stats.healthy();
}

}  // namespace rushproof::ingest
