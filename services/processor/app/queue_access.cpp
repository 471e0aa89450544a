#include "services/processor/app/queue_access.hpp"

#include <utility>

#include "core/base/hash.hpp"
#include "core/runtime/retry.hpp"
#include "services/processor/app/pool.hpp"
#include "services/processor/domain/work.hpp"
#include "services/processor/limits.hpp"

namespace rushproof::processor {

namespace {

Error not_open() { return {ErrorKind::retryable, "unavailable", "the queue is not open yet"}; }

}  // namespace

QueueAccess::QueueAccess(Environment& environment, const Options& options)
    : environment_(environment), options_(options) {}

Task<void> QueueAccess::open() {
    std::string last_code;
    for (int tries = 1;; ++tries) {
        const auto opened = co_await open_once();
        if (opened) { co_return; }
        if (opened.error().code() != last_code) {
            last_code = opened.error().code();
            environment_.telemetry.log(LogLevel::warning, "the queue cannot be opened",
                                       {{"code", last_code}, {"what", opened.error().message()}});
        }
        const Duration pause = back_off(limits::retry_policy, tries, environment_.random);
        co_await sleep_for(environment_.clock, pause);
    }
}

Task<Result<void>> QueueAccess::open_once() {
    const Context context(environment_.clock.monotonic() + limits::step_timeout);
    if (!queue_) { RP_CO_TRY(queue_, co_await open_queue(environment_, context, options_.queue)); }
    RP_CO_TRY(consumer_, co_await queue_->join(context, std::string(group)));
    co_return Result<void>();
}

Task<Result<void>> QueueAccess::publish(Context context, Message message) {
    if (!queue_) { co_return failure(not_open()); }
    const std::string order = message.key.empty() ? message.id : message.key;
    if (is_mine(order)) {
        co_return co_await queue_->publish(std::move(context), std::move(message));
    }
    const RpcTarget target{"processor.v1.Processor/Enqueue", order};
    RP_CO_CHECK(co_await environment_.rpc.call(std::move(context), target, as_bytes(message)));
    co_return Result<void>();
}

// As a caller's Rpc picks the instance.
bool QueueAccess::is_mine(const std::string& order) const {
    return options_.instances == 1 || !is_embedded(options_.queue) ||
           hash64(order) % options_.instances == options_.instance;
}

Task<Result<QueueStats>> QueueAccess::stats(Context context) {
    if (!queue_) { co_return failure(not_open()); }
    co_return co_await queue_->stats(std::move(context), std::string(group));
}

}  // namespace rushproof::processor
