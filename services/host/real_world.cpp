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
#include "core/real/os/stop_signals.hpp"
#include "core/real/telemetry/real_telemetry.hpp"
#include "core/runtime/json.hpp"
#include "services/host/core.hpp"
#include "services/host/databases.hpp"
#include "services/host/local_rpc.hpp"

namespace rushproof {

namespace {

constexpr Duration database_wait = std::chrono::seconds(30);

QueuesOptions brokers_of(const PipelineConfig& pipeline) {
    QueuesOptions brokers;
    brokers.nats.emplace();
    brokers.nats->url = pipeline.nats_url;
    brokers.kafka.emplace();
    for (const std::string& broker : pipeline.kafka_brokers) {
        brokers.kafka->brokers += (brokers.kafka->brokers.empty() ? "" : ",") + broker;
    }
    brokers.kafka->topic = pipeline.kafka_topic;
    brokers.kafka->group = pipeline.kafka_group;
    if (!pipeline.rabbitmq_url.empty()) {
        brokers.rabbitmq.emplace();
        brokers.rabbitmq->url = pipeline.rabbitmq_url;
    }
    return brokers;
}

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
    Result<std::unique_ptr<HttpServer>> serve_http(const HttpServerOptions& options,
                                                   const HttpRouter Core::* router,
                                                   bool with_calls);
    Result<std::unique_ptr<GrpcServer>> serve_grpc(const GrpcServerOptions& options,
                                                   const RpcRouter Core::* router);
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
    std::unique_ptr<HttpServer> ingest_server_;
    std::unique_ptr<HttpServer> processor_server_;
    std::unique_ptr<HttpServer> rpc_server_;
    std::unique_ptr<GrpcServer> grpc_server_;
    std::unique_ptr<GrpcServer> ingest_grpc_server_;
};

Result<void> RealWorld::start() {
    if (!set_scheduling(config_.scheduling)) {
        telemetry_.log(LogLevel::warning, "the system refused to schedule threads as told", {});
    }
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
    auto core =
        std::make_unique<Core>(context, database, telemetry_, rpc, brokers_of(config_.pipeline));
    add_roles(*core, config_, static_cast<std::uint32_t>(worlds_.size()));
    core->add_health(draining_, telemetry_);
    instances_.push_back({core->executor, &core->rpc_router});
    worlds_.push_back(std::move(core));
}

std::unique_ptr<Rpc> RealWorld::make_rpc(const asio::any_io_executor& executor,
                                         Clock& clock) const {
    std::map<std::string, std::vector<HttpEndpoint>> remote;
    for (const auto& shard : config_.inventory_urls) {
        const std::string group = remote.empty() ? "" : "/" + std::to_string(remote.size() + 1);
        remote["inventory" + group] = shard;
    }
    remote["catalog"] = config_.catalog_urls;
    remote["ingest"] = config_.pipeline.ingest_urls;
    remote["processor"] = config_.pipeline.processor_urls;
    return std::make_unique<RoleRpc>(LocalRpc(executor, instances_),
                                     std::make_unique<HttpRpc>(executor, clock, remote),
                                     called_roles(config_));
}

// Without a router it answers calls alone.
Result<std::unique_ptr<HttpServer>> RealWorld::serve_http(const HttpServerOptions& options,
                                                          const HttpRouter Core::* router,
                                                          bool with_calls) {
    std::vector<HttpServerCore> cores;
    cores.reserve(worlds_.size());
    for (const auto& world : worlds_) {
        const HttpHandler calls = rpc_handler(world->rpc_router);
        const HttpHandler handler =
            router == nullptr ? calls : world->handler((*world).*router, with_calls);
        cores.push_back({world->executor, &world->clock, handler, with_calls ? calls : nullptr});
    }
    return HttpServer::create(std::move(cores), options, telemetry_);
}

Result<std::unique_ptr<GrpcServer>> RealWorld::serve_grpc(const GrpcServerOptions& options,
                                                          const RpcRouter Core::* router) {
    std::vector<GrpcServerCore> cores;
    cores.reserve(worlds_.size());
    for (const auto& world : worlds_) {
        cores.push_back({world->executor, &world->clock, &(*world.*router)});
    }
    return GrpcServer::create(std::move(cores), options, telemetry_);
}

Result<void> RealWorld::listen() {
    RP_TRY(http_server_, serve_http(config_.http, &Core::http_router, !config_.gateway));
    const PipelineConfig& pipeline = config_.pipeline;
    if (pipeline.ingest_http) {
        RP_TRY(ingest_server_, serve_http(*pipeline.ingest_http, &Core::ingest_router, true));
    }
    if (pipeline.processor_http) {
        RP_TRY(processor_server_,
               serve_http(*pipeline.processor_http, &Core::processor_router, true));
    }
    if (config_.rpc) { RP_TRY(rpc_server_, serve_http(*config_.rpc, nullptr, true)); }
    if (config_.grpc) { RP_TRY(grpc_server_, serve_grpc(*config_.grpc, &Core::grpc_router)); }
    if (config_.ingest_grpc) {
        RP_TRY(ingest_grpc_server_, serve_grpc(*config_.ingest_grpc, &Core::ingest_grpc_router));
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
    const PipelineConfig& pipeline = config_.pipeline;
    const std::string http = address_of(&config_.http, http_server_);
    const std::string rpc = address_of(config_.rpc, rpc_server_);
    const std::string grpc = address_of(config_.grpc, grpc_server_);
    const std::string ingest = address_of(pipeline.ingest_http, ingest_server_);
    const std::string processor = address_of(pipeline.processor_http, processor_server_);
    const std::string ingest_grpc = address_of(config_.ingest_grpc, ingest_grpc_server_);
    telemetry_.log(LogLevel::info, "serving",
                   {{"http", http},
                    {"rpc", rpc},
                    {"grpc", grpc},
                    {"ingest", ingest},
                    {"processor", processor},
                    {"ingest_grpc", ingest_grpc}});
    if (!config_.ready_fd) { return; }
    JsonWriter json;
    json.begin_object();
    json.member("http", http);
    json.member("rpc", rpc);
    json.member("grpc", grpc);
    json.member("ingest", ingest);
    json.member("processor", processor);
    json.member("ingest_grpc", ingest_grpc);
    json.end_object();
    const std::string line = std::move(json).text() + "\n";
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
    for (HttpServer* server :
         {http_server_.get(), ingest_server_.get(), processor_server_.get(), rpc_server_.get()}) {
        if (server != nullptr) { co_await server->drain(); }
    }
    for (GrpcServer* server : {grpc_server_.get(), ingest_grpc_server_.get()}) {
        if (server != nullptr) { co_await server->drain(); }
    }
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
