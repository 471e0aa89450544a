// What runs on one core of a process: an instance of each role, and the tables of what they answer.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"
#include "core/real/queues/real_queues.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "services/host/host_config.hpp"

namespace rushproof {

using MakeRpc = std::function<std::unique_ptr<Rpc>(const asio::any_io_executor&, Clock&)>;

struct Core {
    Core(asio::io_context& context, Database& database, RealTelemetry& telemetry,
         const MakeRpc& make_rpc, QueuesOptions brokers);

    // Its routes go to `router`, its methods to whoever may call them.
    void add(std::unique_ptr<Service> service, HttpRouter& router);
    void add_health(const std::atomic<bool>& draining, const RealTelemetry& telemetry);

    // Answers by `router`, and calls too if `with_calls`.
    HttpHandler handler(const HttpRouter& router, bool with_calls) const;

    asio::any_io_executor executor;
    RealClock clock;
    RealRandom random;
    RealSpawner spawner;
    std::unique_ptr<Rpc> rpc;
    RealQueues queues;
    Environment environment;
    HttpRouter http_router;                          // of the first role
    HttpRouter ingest_router;                        // of ingest, beside the gateway
    HttpRouter processor_router;                     // of processor, beside other roles
    RpcRouter rpc_router;                            // what roles may call
    RpcRouter grpc_router;                           // what clients may call
    RpcRouter ingest_grpc_router;                    // what clients of ingest know
    std::vector<std::unique_ptr<Service>> services;  // callers before callees
};

// An instance of each role that is configured; `index` counts the cores.
void add_roles(Core& core, const HostConfig& config, std::uint32_t index);
// The roles here that others call.
std::vector<std::string> called_roles(const HostConfig& config);

}  // namespace rushproof
