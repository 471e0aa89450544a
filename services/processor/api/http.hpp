// What processor answers over HTTP, for clients that put messages into the queue themselves.
#pragma once
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "core/runtime/scope.hpp"
#include "services/processor/api/rpc.hpp"
#include "services/processor/app/routing.hpp"

namespace rushproof::processor {

class HttpApi {
public:
    // Requests under way count as visits to `scope`.
    HttpApi(Environment& environment, Scope& scope, Routing& routing, Api& api);

    // The handlers refer to this object.
    std::vector<HttpRoute> routes();

    // From now on nothing is put into the queue.
    void close() { open_ = false; }

private:
    Task<HttpResponse> enqueue(Context context, HttpRequest request);
    Task<HttpResponse> stats(Context context);
    Task<HttpResponse> health(Context context);

    Environment& environment_;
    Scope& scope_;
    Routing& routing_;
    Api& api_;
    bool open_ = true;
};

}  // namespace rushproof::processor
