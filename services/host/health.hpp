// What operators and platforms ask a process: /health/live, /health/ready, /metrics.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "core/ports/service.hpp"
#include "core/real/telemetry/real_telemetry.hpp"

namespace rushproof {

// Ready means: not draining, and every service says so.  All arguments outlive the routes.
std::vector<HttpRoute> health_routes(const std::atomic<bool>& draining,
                                     const std::vector<std::unique_ptr<Service>>& services,
                                     const RealTelemetry& telemetry);

}  // namespace rushproof
