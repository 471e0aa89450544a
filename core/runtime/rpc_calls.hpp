// What every role does around the handlers of its calls.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/ports/environment.hpp"
#include "core/runtime/scope.hpp"

namespace rushproof {

class RpcCalls {
public:
    using Answer = Task<Result<std::string>>;

    // Calls under way count as visits to `scope`.  `service` is "inventory.v1.Inventory", its first
    // word the role.  Metrics: <role>_call_seconds, <role>_errors_total.
    RpcCalls(Environment& environment, Scope& scope, std::string_view service);

    // `handle` gets the message that came with the call.  The method refers to this object.
    template <class Request>
    RpcMethod method(std::string_view name, std::function<Answer(Context, Request)> handle) {
        Distribution& seconds = seconds_of(name);
        return {service_ + '/' + std::string(name),
                [this, &seconds, handle = std::move(handle)](Context context, std::string bytes) {
                    return serve<Request>(seconds, handle, std::move(context), std::move(bytes));
                }};
    }

    // From now on every new call is refused, retryably.
    void close() { open_ = false; }

private:
    template <class Request>
    Answer serve(Distribution& seconds, const std::function<Answer(Context, Request)>& handle,
                 Context context, std::string bytes) {
        if (!open_) { co_return failure(ErrorKind::retryable, "stopping", role_ + " is stopping"); }
        const Scope::Visit visit = scope_.visit();
        const MonotonicTime start = environment_.clock.monotonic();
        Request request;
        if (!request.ParseFromString(bytes)) {
            co_return failure(ErrorKind::permanent, "malformed", "the request is unreadable");
        }
        auto answer = co_await handle(std::move(context), std::move(request));
        note(seconds, environment_.clock.monotonic() - start, answer);
        co_return answer;
    }

    Distribution& seconds_of(std::string_view method);
    void note(Distribution& seconds, Duration taken, const Result<std::string>& answer);

    Environment& environment_;
    Scope& scope_;
    std::string service_;
    std::string role_;
    bool open_ = true;
};

}  // namespace rushproof
