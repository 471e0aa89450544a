#include "services/ingest/app/route.hpp"

#include <utility>

#include "core/protocol/processor.pb.h"
#include "core/runtime/retry.hpp"
#include "services/ingest/limits.hpp"

namespace rushproof::ingest {

namespace {

namespace wire = ::processor::v1;

// Of the processor's consumers.
constexpr std::string_view group = "processor";

std::string encode(const Message& message) {
    wire::Message request;
    request.set_id(message.id);
    request.set_key(message.key);
    for (const auto& [name, value] : message.headers) {
        wire::Header& header = *request.add_headers();
        header.set_name(name);
        header.set_value(value);
    }
    request.set_body(message.body);
    return request.SerializeAsString();
}

Task<Result<void>> refuse(std::string provider) {
    co_return failure(ErrorKind::retryable, "unavailable", provider + " is not open yet");
}

}  // namespace

Route::Route(Environment& environment, QueueOptions options)
    : environment_(environment), options_(std::move(options)), embedded_(is_embedded(options_)) {}

Task<void> Route::open() {
    if (embedded_) { co_return; }
    std::string last_code;
    for (int tries = 1;; ++tries) {
        const Context context(environment_.clock.monotonic() + limits::open_timeout);
        auto opened = co_await open_queue(environment_, context, options_);
        if (opened) {
            queue_ = *std::move(opened);
            co_return;
        }
        if (opened.error().code() != last_code) {
            last_code = opened.error().code();
            environment_.telemetry.log(LogLevel::warning, "the queue cannot be opened",
                                       {{"code", last_code}, {"what", opened.error().message()}});
        }
        const Duration pause = back_off(limits::retry_policy, tries, environment_.random);
        co_await sleep_for(environment_.clock, pause);
    }
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

Task<Result<void>> Route::publish_once(Context context, const Message& message) {
    if (embedded_) { return call_processor(std::move(context), message); }
    if (queue_) { return queue_->publish(std::move(context), message); }
    return refuse(options_.provider);
}

Task<Result<void>> Route::call_processor(Context context, const Message& message) {
    const std::string& order = message.key.empty() ? message.id : message.key;
    const RpcTarget target{"processor.v1.Processor/Enqueue", order};
    RP_CO_CHECK(co_await environment_.rpc.call(std::move(context), target, encode(message)));
    co_return Result<void>();
}

Task<bool> Route::healthy(Context context) {
    if (!embedded_) {
        if (!queue_) { co_return false; }
        const auto stats = co_await queue_->stats(std::move(context), std::string(group));
        co_return stats.has_value();
    }
    const RpcTarget target{"processor.v1.Processor/GetStats", {}};
    const auto answer = co_await environment_.rpc.call(std::move(context), target, std::string());
    wire::Stats stats;
    co_return answer&& stats.ParseFromString(*answer) && stats.healthy();
}

}  // namespace rushproof::ingest
