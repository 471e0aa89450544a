// One incarnation of a service instance in virtual time: a host, its ports, the service, its
// routes.
#pragma once
#include <functional>
#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/service.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "simulator/world/fault_points.hpp"
#include "simulator/world/sim_database.hpp"
#include "simulator/world/sim_ports.hpp"
#include "simulator/world/sim_queues.hpp"

namespace rushproof::simulator {

class Process {
public:
    using MakeService = std::function<std::unique_ptr<Service>(Environment&)>;

    struct Parts {
        Network& network;
        Answering& answering;
        DatabaseCluster& database;
        const Brokers& brokers;
        FaultPoints& points;
        std::uint32_t shards;
    };
    Process(Machine& machine, Parts parts, const MakeService& make, Duration request_timeout);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    Host& host() { return host_; }
    // Requests under way.
    std::size_t serving() const { return serving_; }

    Task<Result<HttpResponse>> answer_http(HttpRequest request);
    Task<Result<std::string>> answer_rpc(Context context, std::string_view method,
                                         std::string request);

    bool draining() const { return draining_; }
    // Refuses new requests, finishes those under way, stops the service, then calls `ended` between
    // steps: the owner destroys the process there.
    void drain(std::function<void()> ended);

private:
    Task<void> drain_and_end(std::function<void()> ended);

    Host host_;
    FaultPoints& points_;
    Duration request_timeout_;
    QuietTelemetry telemetry_;
    SimRpc rpc_;
    SimDatabase database_;
    SimQueues queues_;
    Environment environment_;
    HttpRouter http_routes_;
    RpcRouter rpc_methods_;
    std::unique_ptr<Service> service_;
    std::size_t serving_ = 0;
    bool draining_ = false;
};

}  // namespace rushproof::simulator
