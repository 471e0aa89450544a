// What can be set about ingest, processor and the queue between them.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/config/settings.hpp"
#include "core/real/beast/http_endpoint.hpp"
#include "core/real/beast/http_server.hpp"
#include "core/runtime/events.hpp"
#include "core/runtime/queue_choice.hpp"

namespace rushproof {

struct HostConfig;

struct PipelineConfig {
    QueueOptions queue;
    std::size_t workers = 4;
    Duration processor_grace{};
    // Whom to call when the role is not among ours; of ingest maybe nobody.
    std::vector<HttpEndpoint> ingest_urls;
    std::vector<HttpEndpoint> processor_urls;
    // Where the role answers HTTP and calls, when another role has the process's own address.
    std::optional<HttpServerOptions> ingest_http;
    std::optional<HttpServerOptions> processor_http;
    EventOptions events;  // of every role that has some
    std::string nats_url;
    std::vector<std::string> kafka_brokers;
    std::string kafka_topic;
    std::string kafka_group;
    std::string rabbitmq_url;  // never shown; empty: jobs are kept in memory
    // Empty: none is needed where only this machine can ask.
    std::string admin_token;
};

// The variables are those that clients of the pipeline know: INGEST_PORT and the like.  Settings of
// roles that are not here are checked, too.
Result<void> read_pipeline(const Settings& settings, HostConfig& config);

// Where the process's own address is given by the port alone, by its first role.
Setting main_listen_setting(const Settings& settings, const HostConfig& config);

const std::vector<SettingInfo>& pipeline_settings();

}  // namespace rushproof
