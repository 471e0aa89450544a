// Everything that can be set about a rushproofd process, checked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/settings.hpp"
#include "core/ports/telemetry.hpp"
#include "core/real/beast/http_endpoint.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/real/grpc/grpc_server.hpp"
#include "core/real/os/scheduling.hpp"
#include "core/real/postgres/postgres_database.hpp"
#include "services/host/pipeline_config.hpp"
#include "services/inventory/inventory.hpp"

namespace rushproof {

struct HostConfig {
    bool gateway = false;
    bool inventory = false;
    bool catalog = false;
    bool ingest = false;
    bool processor = false;
    HttpServerOptions http;                 // of the first role here: gateway, ingest, processor
    std::optional<HttpServerOptions> rpc;   // where other processes call our roles
    std::optional<GrpcServerOptions> grpc;  // where clients call our roles by gRPC
    std::optional<GrpcServerOptions> ingest_grpc;  // the same, for the public call of ingest
    PipelineConfig pipeline;
    // Whom to call when inventory is not among our roles, by shard.
    std::vector<std::vector<HttpEndpoint>> inventory_urls;
    // The same of catalog; nobody: products are unavailable.
    std::vector<HttpEndpoint> catalog_urls;
    std::string database_path;  // of SQLite, unless postgres has a URL
    PostgresOptions postgres;   // connections_max is for the whole process
    inventory::Options inventory_options;
    bool keeps_data() const { return inventory || catalog || processor; }
    bool reads_log() const { return (inventory || catalog) && pipeline.events.by == EventsBy::log; }

    std::size_t threads = 1;
    Scheduling scheduling = Scheduling::batch;
    std::optional<int> ready_fd;
    LogLevel log_level = LogLevel::info;
};

// What `rushproofd serve` knows, in the order of its help.
const std::vector<SettingInfo>& known_settings();

// Errors: permanent "bad-setting"; the message names the flag or variable and what to write.
Result<HostConfig> read_config(const Settings& settings);

// The part of it that `rushproofd migrate` needs.
Result<HostConfig> read_migrate_config(const Settings& settings);

}  // namespace rushproof
