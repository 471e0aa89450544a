#include "services/host/core.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "core/real/beast/rpc_http.hpp"
#include "services/catalog/catalog.hpp"
#include "services/gateway/gateway.hpp"
#include "services/host/health.hpp"
#include "services/ingest/ingest.hpp"
#include "services/processor/processor.hpp"

namespace rushproof {

namespace {

constexpr std::string_view ingest_package = "diplom.";
// Of methods that clients may call; the others are between roles.
constexpr std::array public_packages{std::string_view("catalog."), std::string_view("inventory."),
                                     ingest_package};

std::vector<RpcMethod> of_packages(const std::vector<RpcMethod>& methods,
                                   std::span<const std::string_view> packages) {
    std::vector<RpcMethod> found;
    for (const RpcMethod& method : methods) {
        const bool is_one =
            std::any_of(packages.begin(), packages.end(),
                        [&](std::string_view package) { return method.name.starts_with(package); });
        if (is_one) { found.push_back(method); }
    }
    return found;
}

std::uint32_t shards_of(const HostConfig& config) {
    if (config.inventory || config.inventory_urls.empty()) { return 1; }
    return static_cast<std::uint32_t>(config.inventory_urls.size());
}

std::uint32_t count_of(bool is_here, const std::vector<HttpEndpoint>& urls) {
    return is_here ? 1 : static_cast<std::uint32_t>(urls.size());
}

bool is_loopback(const std::string& address) {
    boost::system::error_code error;
    const auto parsed = asio::ip::make_address(address, error);
    return !error && parsed.is_loopback();
}

void add_gateway(Core& core, const HostConfig& config) {
    gateway::Options options;
    options.request_timeout = config.http.request_timeout;
    options.shards = shards_of(config);
    options.inventory = config.inventory || !config.inventory_urls.empty();
    // A process answers for all of its cores.
    const PipelineConfig& pipeline = config.pipeline;
    if (config.ingest || !pipeline.ingest_urls.empty()) {
        options.ingests = count_of(config.ingest, pipeline.ingest_urls);
        options.processors = count_of(config.processor, pipeline.processor_urls);
    }
    options.admin_token = pipeline.admin_token;
    options.admin_without_token = is_loopback(config.http.address);
    core.add(gateway::make_gateway(core.environment, options), core.http_router);
}

void add_ingest(Core& core, const HostConfig& config) {
    ingest::Options options;
    options.queue = config.pipeline.queue;
    options.instances = static_cast<std::uint32_t>(config.threads);
    HttpRouter& router = config.gateway ? core.ingest_router : core.http_router;
    core.add(ingest::make_ingest(core.environment, options), router);
}

void add_processor(Core& core, const HostConfig& config, std::uint32_t index) {
    processor::Options options;
    options.queue = config.pipeline.queue;
    options.workers = config.pipeline.workers;
    options.reserves = config.inventory || !config.inventory_urls.empty();
    options.shards = shards_of(config);
    options.instance = index;
    options.instances = static_cast<std::uint32_t>(config.threads);
    options.drain_grace = config.pipeline.processor_grace;
    const bool is_first = !config.gateway && !config.ingest;
    HttpRouter& router = is_first ? core.http_router : core.processor_router;
    core.add(processor::make_processor(core.environment, options), router);
}

}  // namespace

Core::Core(asio::io_context& context, Database& database, RealTelemetry& telemetry,
           const MakeRpc& make_rpc, QueuesOptions brokers)
    : executor(context.get_executor()),
      clock(executor),
      spawner(executor),
      rpc(make_rpc(executor, clock)),
      queues(executor, std::move(brokers), telemetry),
      environment{clock, random, spawner, *rpc, database, telemetry, queues},
      http_router(telemetry),
      ingest_router(telemetry),
      processor_router(telemetry),
      rpc_router(telemetry),
      grpc_router(telemetry),
      ingest_grpc_router(telemetry) {}

void Core::add(std::unique_ptr<Service> service, HttpRouter& router) {
    router.add(service->http_routes());
    const auto methods = service->rpc_methods();
    rpc_router.add(methods);
    grpc_router.add(of_packages(methods, public_packages));
    ingest_grpc_router.add(of_packages(methods, std::span(&ingest_package, 1)));
    services.push_back(std::move(service));
}

void Core::add_health(const std::atomic<bool>& draining, const RealTelemetry& telemetry) {
    for (HttpRouter* router : {&http_router, &ingest_router, &processor_router}) {
        router->add(health_routes(draining, services, telemetry));
    }
}

HttpHandler Core::handler(const HttpRouter& router, bool with_calls) const {
    HttpHandler calls;
    if (with_calls) { calls = rpc_handler(rpc_router); }
    return [&router, calls = std::move(calls)](Context context, HttpRequest request) {
        if (calls && request.target.starts_with(rpc_path)) {
            return calls(std::move(context), std::move(request));
        }
        return router.answer(std::move(context), std::move(request));
    };
}

void add_roles(Core& core, const HostConfig& config, std::uint32_t index) {
    if (config.gateway) { add_gateway(core, config); }
    if (config.ingest) { add_ingest(core, config); }
    if (config.processor) { add_processor(core, config, index); }
    if (config.catalog) {
        catalog::Options options;
        options.shards = shards_of(config);
        options.events = config.pipeline.events;
        core.add(catalog::make_catalog(core.environment, options), core.http_router);
    }
    if (config.inventory) {
        core.add(inventory::make_inventory(core.environment, config.inventory_options),
                 core.http_router);
    }
}

std::vector<std::string> called_roles(const HostConfig& config) {
    std::vector<std::string> roles;
    if (config.catalog) { roles.emplace_back("catalog"); }
    if (config.inventory) { roles.emplace_back("inventory"); }
    if (config.ingest) { roles.emplace_back("ingest"); }
    if (config.processor) { roles.emplace_back("processor"); }
    return roles;
}

}  // namespace rushproof
