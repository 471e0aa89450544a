// What ingest answers over HTTP.
#pragma once
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "core/runtime/scope.hpp"
#include "services/ingest/api/rpc.hpp"
#include "services/ingest/app/application.hpp"

namespace rushproof::ingest {

class HttpApi {
public:
    // Requests under way count as visits to `scope`.
    HttpApi(Scope& scope, Application& application, Api& api);

    // The handlers refer to this object.
    std::vector<HttpRoute> routes();

    // From now on nothing is accepted.
    void close() { open_ = false; }

private:
    Task<HttpResponse> ingest(Context context, HttpRequest request);
    Task<HttpResponse> stats(Context context);
    Task<HttpResponse> health(Context context);

    Scope& scope_;
    Application& application_;
    Api& api_;
    bool open_ = true;
};

}  // namespace rushproof::ingest
