#include "services/host/real_world.hpp"

#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "core/real/beast/rpc_http.hpp"
#include "core/real/os/cores.hpp"
#include "core/real/os/real_clock.hpp"
#include "core/real/os/real_random.hpp"
#include "core/real/os/real_spawner.hpp"
#include "core/real/os/stop_signals.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "core/runtime/http_router.hpp"
#include "core/runtime/rpc_router.hpp"
#include "services/catalog/catalog.hpp"
#include "services/gateway/gateway.hpp"
#include "services/host/databases.hpp"
#include "services/host/health.hpp"
#include "services/host/local_rpc.hpp"

namespace rushproof {

namespace {

constexpr Duration database_wait = std::chrono::seconds(30);

using MakeRpc = std::function<std::unique_ptr<Rpc>(const asio::any_io_executor&, Clock&)>;

// What runs on one core: an instance of each role, and the tables of what they answer.
struct Core {
    Core(asio::io_context& context, Database& database, RealTelemetry& telemetry,
         const MakeRpc& make_rpc)
        : executor(context.get_executor()),
          clock(executor),
          spawner(executor),
          rpc(make_rpc(executor, clock)),
          environment{clock, random, spawner, *rpc, database, telemetry, queues},
          http_router(telemetry),
          rpc_router(telemetry) {}

    void add(std::unique_ptr<Service> service) {
        http_router.add(service->http_routes());
        rpc_router.add(service->rpc_methods());
        services.push_back(std::move(service));
    }

    asio::any_io_executor executor;
    RealClock clock;
    RealRandom random;
    RealSpawner spawner;
    std::unique_ptr<Rpc> rpc;
    NoQueues queues;
    Environment environment;
    HttpRouter http_router;
    RpcRouter rpc_router;
    std::vector<std::unique_ptr<Service>> services;  // callers before callees
};

class RealWorld {
public:
    explicit RealWorld(const HostConfig& config)
        : config_(config), telemetry_(config.log_level), cores_(config.threads) {}

    Result<void> start();
    void run() { cores_.run(); }
    // From any thread.
    void stop();

private:
    void add_core(asio::io_context& context);
    std::unique_ptr<Rpc> make_rpc(const asio::any_io_executor& executor, Clock& clock) const;
    Result<void> listen();
    void announce() const;
    Task<void> drain();

    const HostConfig& config_;
    mutable RealTelemetry telemetry_;
    std::atomic<bool> draining_ = false;
    Cores cores_;
    std::unique_ptr<Databases> databases_;
    std::vector<LocalInstance> instances_;
    std::vector<std::unique_ptr<Core>> worlds_;
    std::unique_ptr<HttpServer> http_server_;
    std::unique_ptr<HttpServer> rpc_server_;
    std::unique_ptr<GrpcServer> grpc_server_;
};

Result<void> RealWorld::start() {
    RP_TRY(databases_, Databases::open(config_, telemetry_, database_wait));
    RP_CHECK(databases_->claim());
    for (std::size_t i = 0; i < cores_.size(); ++i) { add_core(cores_[i]); }
    RP_CHECK(listen());
    for (const auto& world : worlds_) {
        for (const auto& service : world->services) {
            asio::post(world->executor, [&service] { service->start(); });
        }
    }
    asio::post(cores_[0], [this] { announce(); });
    return {};
}

void RealWorld::add_core(asio::io_context& context) {
    const MakeRpc rpc = [this](const auto& executor, Clock& clock) {
        return make_rpc(executor, clock);
    };
    Database& database = databases_->add_core(context.get_executor());
    auto world = std::make_unique<Core>(context, database, telemetry_, rpc);
    const auto shards = config_.inventory
                            ? std::uint32_t{1}
                            : static_cast<std::uint32_t>(config_.inventory_urls.size());
    if (config_.gateway) {
        gateway::Options options;
        options.request_timeout = config_.http.request_timeout;
        options.shards = shards;
        world->add(gateway::make_gateway(world->environment, options));
    }
    if (config_.catalog) {
        catalog::Options options;
        options.shards = shards;
        world->add(catalog::make_catalog(world->environment, options));
    }
    if (config_.inventory) {
        world->add(inventory::make_inventory(world->environment, config_.inventory_options));
    }
    world->http_router.add(health_routes(draining_, world->services, telemetry_));
    instances_.push_back({world->executor, &world->rpc_router});
    worlds_.push_back(std::move(world));
}

std::unique_ptr<Rpc> RealWorld::make_rpc(const asio::any_io_executor& executor,
                                         Clock& clock) const {
    std::map<std::string, std::vector<HttpEndpoint>> remote;
    for (const auto& shard : config_.inventory_urls) {
        const std::string group = remote.empty() ? "" : "/" + std::to_string(remote.size() + 1);
        remote["inventory" + group] = shard;
    }
    remote["catalog"] = config_.catalog_urls;
    std::vector<std::string> local;
    if (config_.catalog) { local.emplace_back("catalog"); }
    if (config_.inventory) { local.emplace_back("inventory"); }
    return std::make_unique<RoleRpc>(LocalRpc(executor, instances_),
                                     std::make_unique<HttpRpc>(executor, clock, remote),
                                     std::move(local));
}

Result<void> RealWorld::listen() {
    std::vector<HttpServerCore> http;
    std::vector<HttpServerCore> rpc;
    std::vector<GrpcServerCore> grpc;
    for (const auto& world : worlds_) {
        const HttpRouter& router = world->http_router;
        http.push_back(
            {world->executor, &world->clock, [&router](Context context, HttpRequest request) {
                 return router.answer(std::move(context), std::move(request));
             }});
        rpc.push_back({world->executor, &world->clock, rpc_handler(world->rpc_router)});
        grpc.push_back({world->executor, &world->clock, &world->rpc_router});
    }
    RP_TRY(http_server_, HttpServer::create(std::move(http), config_.http, telemetry_));
    if (config_.rpc) {
        RP_TRY(rpc_server_, HttpServer::create(std::move(rpc), *config_.rpc, telemetry_));
    }
    if (config_.grpc) {
        RP_TRY(grpc_server_, GrpcServer::create(std::move(grpc), *config_.grpc, telemetry_));
    }
    return {};
}

// Empty without a server.
template <class Options, class Server>
std::string address_of(const Options& options, const std::unique_ptr<Server>& server) {
    if (!server) { return {}; }
    const bool is_ipv6 = options->address.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + options->address + "]" : options->address) + ":" +
           std::to_string(server->port());
}

// Tells a parent process the ports that were chosen, and people the same.
void RealWorld::announce() const {
    const std::string http = address_of(&config_.http, http_server_);
    const std::string rpc = address_of(config_.rpc, rpc_server_);
    const std::string grpc = address_of(config_.grpc, grpc_server_);
    telemetry_.log(LogLevel::info, "serving", {{"http", http}, {"rpc", rpc}, {"grpc", grpc}});
    if (!config_.ready_fd) { return; }
    const std::string line =
        R"({"http":")" + http + R"(","rpc":")" + rpc + R"(","grpc":")" + grpc + "\"}\n";
    if (write(*config_.ready_fd, line.data(), line.size()) < 0) {
        telemetry_.log(LogLevel::warning, "nobody reads --ready-fd", {});
    }
    close(*config_.ready_fd);
}

void RealWorld::stop() {
    draining_ = true;
    asio::co_spawn(cores_[0], drain(), asio::detached);
}

Task<void> RealWorld::drain() {
    telemetry_.log(LogLevel::info, "draining", {});
    co_await http_server_->drain();
    if (rpc_server_) { co_await rpc_server_->drain(); }
    if (grpc_server_) { co_await grpc_server_->drain(); }
    for (const auto& world : worlds_) {
        for (const auto& service : world->services) {
            co_await asio::co_spawn(world->executor, service->stop(), asio::use_awaitable);
        }
    }
    telemetry_.log(LogLevel::info, "drained", {});
    cores_.stop();
}

}  // namespace

Result<void> serve(const HostConfig& config) {
    RealWorld world(config);
    const StopSignals signals([&] { world.stop(); });
    RP_CHECK(world.start());
    world.run();
    return {};
}

Result<void> migrate(const HostConfig& config) {
    RealTelemetry telemetry(config.log_level);
    RP_TRY(const auto databases, Databases::open(config, telemetry, Duration::zero()));
    return {};
}

}  // namespace rushproof
