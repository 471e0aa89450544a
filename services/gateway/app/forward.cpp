#include "services/gateway/app/forward.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/problem.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {

namespace {

MonotonicTime callee_deadline(MonotonicTime ours, MonotonicTime now, Duration timeout) {
    const MonotonicTime deadline = std::min(ours, now + timeout);
    return deadline - (deadline - now) / limits::deadline_parts;
}

}  // namespace

Task<HttpResponse> pass_on(const Forward& forward, Environment& environment, const Options& options,
                           Context context, HttpRequest request) {
    context.idempotency_key = request.field("idempotency-key");
    if (forward.needs_key && context.idempotency_key.empty()) {
        co_return problem(Error(ErrorKind::permanent, "missing-header",
                                "the header Idempotency-Key is required"));
    }
    const std::string_view owner = request.field("x-owner");
    context.principal = owner.empty() ? "anonymous" : owner;
    context.deadline =
        callee_deadline(context.deadline, environment.clock.monotonic(), options.request_timeout);
    auto outgoing = forward.read(request);
    if (!outgoing) { co_return problem(outgoing.error()); }
    const RpcTarget target{forward.rpc_method, outgoing->shard};
    const auto answer =
        co_await environment.rpc.call(std::move(context), target, std::move(outgoing->message));
    co_return answer ? forward.write(*answer) : problem(answer.error());
}

}  // namespace rushproof::gateway
