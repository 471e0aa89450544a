// The one use case of gateway: pass a request on to its role, with less time than is left here.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"
#include "core/ports/rpc.hpp"
#include "services/gateway/api/forwards.hpp"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {

struct Call {
    RpcTarget target(std::uint32_t group) const { return {method, outgoing.shard, group}; }

    Context context;
    std::string_view method;
    Outgoing outgoing;
};

// The request's owner, key and position, and less time than it has.
Context outgoing_context(const Options& options, MonotonicTime now, Context context,
                         const HttpRequest& request);

// What to ask the role, or what is wrong with the request.
Result<Call> call_for(const Forward& forward, const Options& options, MonotonicTime now,
                      Context context, const HttpRequest& request);

// The client has one position for all its writes: what it sent, and what this answer adds.
void keep_positions(std::string_view seen, HttpResponse& response);

HttpResponse answer_with(const Forward& forward, const Result<std::string>& answer);

}  // namespace rushproof::gateway
