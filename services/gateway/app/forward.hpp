// The one use case of gateway: pass a request on to inventory, with less time than is left here.
#pragma once
#include "core/ports/environment.hpp"
#include "core/ports/http.hpp"
#include "services/gateway/api/forwards.hpp"
#include "services/gateway/gateway.hpp"

namespace rushproof::gateway {

// `forward`, `environment` and `options` must outlive the task.
Task<HttpResponse> pass_on(const Forward& forward, Environment& environment, const Options& options,
                           Context context, HttpRequest request);

}  // namespace rushproof::gateway
