#include "services/host/health.hpp"

#include <utility>

#include "core/runtime/problem.hpp"

namespace rushproof {

namespace {

using Services = std::vector<std::unique_ptr<Service>>;

Task<HttpResponse> live(Context, HttpRequest) {
    co_return HttpResponse(200, R"({"status":"live"})");
}

Task<HttpResponse> ready(const std::atomic<bool>& draining, const Services& services,
                         Context context) {
    for (const auto& service : services) {
        if (!co_await service->ready(context)) {
            co_return problem(503, "not-ready", "a dependency does not answer");
        }
    }
    if (draining) { co_return problem(503, "draining", "this process is stopping"); }
    co_return HttpResponse(200, R"({"status":"ready"})");
}

Task<HttpResponse> metrics(const RealTelemetry& telemetry, Context) {
    co_return HttpResponse(200, telemetry.metrics_text(),
                           std::string(RealTelemetry::metrics_content_type));
}

}  // namespace

std::vector<HttpRoute> health_routes(const std::atomic<bool>& draining, const Services& services,
                                     const RealTelemetry& telemetry) {
    std::vector<HttpRoute> routes;
    routes.push_back({"GET", "/health/live", live});
    routes.push_back({"GET", "/health/ready", [&](Context context, HttpRequest) {
                          return ready(draining, services, std::move(context));
                      }});
    routes.push_back({"GET", "/metrics", [&](Context context, HttpRequest) {
                          return metrics(telemetry, std::move(context));
                      }});
    return routes;
}

}  // namespace rushproof
