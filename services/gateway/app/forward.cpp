#include "services/gateway/app/forward.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/position.hpp"
#include "core/runtime/problem.hpp"
#include "services/gateway/limits.hpp"

namespace rushproof::gateway {

namespace {

MonotonicTime callee_deadline(MonotonicTime ours, MonotonicTime now, Duration timeout) {
    const MonotonicTime deadline = std::min(ours, now + timeout);
    return deadline - (deadline - now) / limits::deadline_parts;
}

}  // namespace

Context outgoing_context(const Options& options, MonotonicTime now, Context context,
                         const HttpRequest& request) {
    context.idempotency_key = request.field("idempotency-key");
    const std::string_view owner = request.field("x-owner");
    context.position = request.field(position_field);
    context.principal = owner.empty() ? "anonymous" : owner;
    context.deadline = callee_deadline(context.deadline, now, options.request_timeout);
    return context;
}

Result<Call> call_for(const Forward& forward, const Options& options, MonotonicTime now,
                      Context context, const HttpRequest& request) {
    context = outgoing_context(options, now, std::move(context), request);
    if (forward.needs_key && context.idempotency_key.empty()) {
        return failure(ErrorKind::permanent, "missing-header",
                       "the header Idempotency-Key is required");
    }
    RP_TRY(Outgoing outgoing, forward.read(request));
    return Call{std::move(context), forward.rpc_method, std::move(outgoing)};
}

void keep_positions(std::string_view seen, HttpResponse& response) {
    if (seen.empty()) { return; }
    for (auto& [name, value] : response.fields) {
        if (name == position_field) { value = joined_positions(seen, value); }
    }
}

HttpResponse answer_with(const Forward& forward, const Result<std::string>& answer) {
    return answer ? forward.write(*answer) : problem(answer.error());
}

}  // namespace rushproof::gateway
